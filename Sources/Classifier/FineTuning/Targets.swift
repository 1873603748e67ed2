import Foundation
import Torch

extension SampleWeights {
  /// The targets of some examples for a loss `−Σ targets · log p`: rows of class weights `[n, C]`. Each row sums
  /// to the weight of its example, of which `smoothing` is spread over all classes.
  func targets(_ examples: [Int], labels: [Int], classes: Int, smoothing: Double) -> Tensor {
    var values = [Float](repeating: 0, count: examples.count * classes)
    for (row, example) in examples.enumerated() {
      let spread = total(example) * Float(smoothing) / Float(classes)
      for label in 0..<classes { values[row * classes + label] = spread }
      let rest = Float(1 - smoothing)
      values[row * classes + labels[example]] += rest * weights[example]
      if !secondWeights.isEmpty {
        values[row * classes + secondLabels[example]] += rest * secondWeights[example]
      }
    }
    return Tensor(values, shape: [examples.count, classes])
  }

  /// The same, scaled so that the examples that count at all count 1 on the average: the rate of learning does not
  /// depend on how much an image weighs altogether.
  func normalized() -> SampleWeights {
    let totals = (0..<count).map { Double(total($0)) }.filter { $0 > 0 }
    guard !totals.isEmpty else { return self }
    let factor = Float(Double(totals.count) / totals.reduce(0, +))
    var result = self
    result.weights = weights.map { $0 * factor }
    result.secondWeights = secondWeights.map { $0 * factor }
    return result
  }
}

/// Pairs of images laid over one another, and their targets mixed alike (Zhang et al. 2018).
struct Mixup {
  /// The share of the image itself, at least ½.
  let share: Double
  /// Each image's partner.
  let partners: Tensor

  init(count: Int, alpha: Double, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let drawn = Self.beta(alpha, using: &random)
    share = max(drawn, 1 - drawn)
    partners = Tensor((0..<count).shuffled(using: &random))
  }

  /// Jöhnk's way (1964), which is fast for α up to 1.
  private static func beta(_ alpha: Double, using random: inout SplitMix64) -> Double {
    while true {
      let x = Double.random(in: 0..<1, using: &random).power(1 / alpha)
      let y = Double.random(in: 0..<1, using: &random).power(1 / alpha)
      if x + y <= 1, x + y > 0 { return x / (x + y) }
    }
  }

  /// Pixels, uint8, rounded again.
  func pixels(_ pixels: Tensor) -> Tensor {
    let values = pixels.to(.float32)
    return (values * share + values.indexSelect(partners) * (1 - share) + 0.5).floor().to(.uint8)
  }

  func targets(_ targets: Tensor) -> Tensor { targets * share + targets.indexSelect(partners) * (1 - share) }
}

extension Double {
  fileprivate func power(_ exponent: Double) -> Double { pow(self, exponent) }
}
