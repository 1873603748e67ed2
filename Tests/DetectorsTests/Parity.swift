import Foundation
import Torch

/// Expected values of scikit-learn and cleanlab; written by Fixtures/make_fixtures.py. `make parity` has them computed
/// anew and names their folder in CLEANNET_PARITY.
struct Parity: Decodable {
  let dimension: Int
  let classes: Int
  let features: [Double]
  let labels: [Int]
  let logistic: Logistic
  let confident: Confident
  let neighbors: Neighbors
  let spreading: Spreading
  let machines: Machines

  struct Logistic: Decodable {
    let c: Double
    let weights, bias, probabilities: [Double]
  }
  struct Confident: Decodable {
    let probabilities: [Double]
    let joint: [Int]
    let self_confidence, normalized_margin, confidence_weighted_entropy: [Double]
    let prune_by_noise_rate, prune_by_class, both: [Bool]
  }
  struct Neighbors: Decodable {
    let k: Int
    let indices: [Int]
    let similarities: [Double]
  }
  struct Spreading: Decodable {
    let k: Int
    let known: [Int]
    let answers: [Bool]
    let propagation, spreading: [Double]
  }
  struct Machines: Decodable {
    let learning: [Int]
    let answers: [Bool]
    let linear, rbf, oneClass: [Double]
  }

  static func load() throws -> Parity {
    let folder = ProcessInfo.processInfo.environment["CLEANNET_PARITY"].map {
      URL(fileURLWithPath: $0).appendingPathComponent("DetectorsTests")
    }
    let file = folder ?? Bundle.module.bundleURL.appendingPathComponent("Fixtures")
    return try JSONDecoder().decode(
      Parity.self, from: Data(contentsOf: file.appendingPathComponent("parity.json")))
  }

  /// `[n, D]`
  var matrix: Tensor { Tensor(features.map(Float.init), shape: [labels.count, dimension]) }
}

/// The largest distance between two lists of the same length.
func distance(_ a: [some BinaryFloatingPoint], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).map { abs(Double($0) - $1) }.max() ?? 0
}
