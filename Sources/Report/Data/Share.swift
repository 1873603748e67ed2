import Evaluation

/// A share seen in a random sample, with Clopper and Pearson's two-sided 95 % interval.
public struct Share: Sendable, Codable, Hashable {
  public var count: Int
  public var of: Int
  public var value: Double
  public var low: Double
  public var high: Double

  /// nil where there is no sample.
  public init?(_ count: Int, of total: Int) {
    guard total > 0 else { return nil }
    (self.count, of) = (count, total)
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
