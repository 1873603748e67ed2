import Foundation
import Testing
import Torch

@testable import Backbones

/// Against PyTorch: torchvision's ResNets, Lites written out in Python, and timm's.
@Suite struct ExpectedTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var kind: BackboneKind
    var size = 64
    var names = WeightNames.published

    var testDescription: String { prefix }
    var prefix: String { (names == .timm ? "timm." : "") + "\(kind).\(size)" }
  }

  static let cases =
    BackboneKind.allCases.map { Case(kind: $0) }
    + [.efficientNetLite0, .efficientNetLite2, .resNet18, .resNet50].map { Case(kind: $0, size: 75) }
    + [.efficientNetLite0, .efficientNetLite2].map { Case(kind: $0, names: .timm) }

  @Test(arguments: cases)
  func featuresAndLogits(_ one: Case) throws {
    let file = try #require(
      Bundle.module.url(forResource: "Fixtures/expected", withExtension: "safetensors"))
    let expected = try Checkpoint.read(path: file.path)
    let features = try Tensor(#require(expected[one.prefix + ".features"]))
    let logits = try Tensor(#require(expected[one.prefix + ".logits"]))
    let checkpoint = Made.checkpoint(one.kind, names: one.names)
    let pixels = Made.pixels(size: one.size)

    let exact = try Backbone(one.kind, checkpoint: checkpoint, name: "made", precision: .float32)
    let ours = exact.features(pixels)
    #expect(ours.shape == [1, one.kind.featureDimension])
    #expect(ours.dtype == .float32)
    #expect(relativeDifference(ours[0], features) < 2e-5)
    #expect(exact.classCount == 10)
    #expect(try relativeDifference(#require(exact.logits(features: ours))[0], logits) < 2e-5)

    let rounded = try Backbone(one.kind, checkpoint: checkpoint, name: "made", precision: .bfloat16)
    let cosine = cosines(rounded.features(pixels), features.unsqueezed(dim: 0))[0]
    #expect(cosine > 0.999, "\(cosine)")
  }
}
