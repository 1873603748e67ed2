import Evaluation

/// A share seen in a random sample, with Clopper and Pearson's two-sided 95 % interval.
package struct Share: Sendable, Codable, Hashable {
  package var count: Int
  package var of: Int
  package var value: Double
  package var low: Double
  package var high: Double

  /// nil where there is no sample.
  package init?(_ count: Int, of total: Int) {
    guard total > 0 else { return nil }
    self.count = count
    of = total
    value = Double(count) / Double(total)
    low = ClopperPearson.lowerBound(successes: count, trials: total, confidence: 0.975)
    high = ClopperPearson.upperBound(successes: count, trials: total, confidence: 0.975)
  }
}

extension Double {
  /// Rounded to a number of decimals, so that it stays short as text; nil where it is no number.
  func rounded(to digits: Int) -> Double? {
    guard isFinite else { return nil }
    let factor = [1, 10, 100, 1e3, 1e4, 1e5, 1e6][min(digits, 6)]
    return (self * factor).rounded() / factor
  }
}
