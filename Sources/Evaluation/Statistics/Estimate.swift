import Foundation
import Torch

/// A mean with its confidence interval.
package struct Estimate: Sendable, Hashable, Codable {
  package var mean: Double
  /// Equal to the mean where there is a single value.
  package var low: Double
  package var high: Double

  package init(mean: Double, low: Double, high: Double) {
    self.mean = mean
    self.low = low
    self.high = high
  }

  /// The mean of runs with different seeds, with Student's t interval. NaN values are left out; nil if none is left.
  package init?(runs: [Double], confidence: Double = 0.95) {
    let values = runs.filter { !$0.isNaN }
    guard !values.isEmpty else { return nil }
    let n = Double(values.count)
    mean = values.reduce(0, +) / n
    low = mean
    high = mean
    guard values.count > 1 else { return }
    let center = mean
    let deviation = (values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / (n - 1)).squareRoot()
    let half =
      studentQuantile(1 - (1 - confidence) / 2, degreesOfFreedom: n - 1) * deviation / n.squareRoot()
    low = mean - half
    high = mean + half
  }

  /// A metric of images with its percentile bootstrap interval: images are drawn anew, with replacement, within each
  /// class, `resamples` times. nil where the metric does not apply to the images themselves.
  ///
  /// Cost: `resamples` times the metric; for areas of 10,000 images and 1,000 resamples a few seconds.
  package static func bootstrap(
    _ judged: JudgedLabels, resamples: Int = 1000, confidence: Double = 0.95, seed: UInt64 = 0,
    metric: (JudgedLabels) -> Double?
  ) -> Estimate? {
    guard let value = metric(judged) else { return nil }
    var random = SplitMix64(seed: seed)
    let strata = Dictionary(grouping: judged.labels.indices) { judged.labels[$0] }
      .sorted { $0.key < $1.key }.map(\.value)
    let values = (0..<resamples).compactMap { _ in
      let places = strata.flatMap { stratum in
        stratum.map { _ in stratum[Int.random(in: 0..<stratum.count, using: &random)] }
      }
      return metric(judged.selecting(places))
    }.sorted()
    let tail = (1 - confidence) / 2
    return Estimate(
      mean: value, low: quantile(values, tail) ?? value, high: quantile(values, 1 - tail) ?? value)
  }
}

/// The quantile of sorted values, linear between neighbors.
private func quantile(_ sorted: [Double], _ probability: Double) -> Double? {
  guard let last = sorted.last else { return nil }
  let place = probability * Double(sorted.count - 1)
  let below = Int(place)
  guard below + 1 < sorted.count else { return last }
  return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
}

/// The value that Student's t stays below with `probability`.
func studentQuantile(_ probability: Double, degreesOfFreedom: Double) -> Double {
  guard probability != 0.5 else { return 0 }
  let tail = 2 * min(probability, 1 - probability)
  // P(|T| > t) = I_x(ν/2, 1/2) with x = ν / (ν + t²).
  let x = BetaDistribution.quantile(tail, degreesOfFreedom / 2, 0.5)
  let t = (degreesOfFreedom * (1 - x) / x).squareRoot()
  return probability < 0.5 ? -t : t
}
