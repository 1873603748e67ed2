import Foundation
import Testing
import Torch

@testable import Backbones

/// The files that the environment names for the checks on real data.
private enum Given {
  static func path(_ variable: String) -> String? { ProcessInfo.processInfo.environment[variable] }
  static let all = path("CLEANNET_REFERENCE") != nil && path("CLEANNET_WEIGHTS") != nil
}

/// Features of real images from real weights against features that another program computed; `make_reference.py` tells
/// how to run this.
@Suite(.enabled(if: Given.all))
struct ReferenceTests {
  @Test(arguments: [(Precision.float32, Float(0.999), Float(0.99)), (.bfloat16, 0.995, 0.98)])
  func cosines(precision: Precision, mean: Float, least: Float) throws {
    let reference = try Checkpoint.read(path: #require(Given.path("CLEANNET_REFERENCE")))
    let backbone = try Backbone(
      .efficientNetLite0, weights: #require(Given.path("CLEANNET_WEIGHTS")), precision: precision)
    let features = try backbone.features(Tensor(#require(reference["pixels"])))
    let expected = try Tensor(#require(reference["features"])).to(.float32)
    let cosines = BackbonesTests.cosines(features, expected)
    let average = cosines.reduce(0, +) / Float(cosines.count)
    print(
      "\(precision.rawValue): \(cosines.count) images, cosine mean \(average), least \(cosines.min() ?? 0)")
    #expect(average >= mean)
    #expect(try #require(cosines.min()) >= least)
  }
}
