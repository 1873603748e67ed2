/// Exact confidence bounds on a share, from a sample (Clopper & Pearson 1934).
///
/// "Of the labels kept at most x % are wrong, with 95 % confidence": x is the upper bound where `successes` of the `trials`
/// verified images among those kept turned out wrong. It holds for images drawn at random from those kept, and looked at
/// once; where the same sample also chose the threshold it does not.
package enum ClopperPearson {
  /// The share that the true one does not exceed, with `confidence`: a one-sided bound. 1 where nothing was tried.
  package static func upperBound(successes: Int, trials: Int, confidence: Double = 0.95) -> Double {
    precondition(successes >= 0 && successes <= trials, "\(successes) of \(trials) is no share")
    guard successes < trials else { return 1 }
    return BetaDistribution.quantile(confidence, Double(successes + 1), Double(trials - successes))
  }

  /// The share that the true one does not fall below, with `confidence`: a one-sided bound.
  package static func lowerBound(successes: Int, trials: Int, confidence: Double = 0.95) -> Double {
    1 - upperBound(successes: trials - successes, trials: trials, confidence: confidence)
  }
}
