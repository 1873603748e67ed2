import Foundation

/// Bounds on a share that hold at all sample sizes at once, however often somebody looks and for whatever reason
/// sampling ends. This is a confidence sequence by the method of mixtures (Robbins 1970; Howard, Ramdas, McAuliffe and
/// Sekhon 2021, section 3.2), with a beta distribution of shares. Wilson's and Clopper and Pearson's bounds hold for a
/// size that was fixed before.
package enum ConfidenceSequence {
  /// The beta distribution of shares that are expected: a tenth, loosely.
  private static let mixture = (wrong: 0.5, right: 4.5)

  /// The shares that a sample does not contradict.
  ///
  /// - Parameters:
  ///   - successes: The counted successes, of `trials`. Neither need be whole: they may stand for a weighted sample.
  ///   - confidence: That the true share lies within, at all times at once.
  package static func interval(
    successes: Double, trials: Double, confidence: Double = 0.95
  ) -> ClosedRange<Double> {
    precondition(successes >= 0 && successes <= trials, "\(successes) of \(trials) is no share")
    let failures = trials - successes
    let mixed =
      logBeta(successes + mixture.wrong, failures + mixture.right) - logBeta(mixture.wrong, mixture.right)
    func isExcluded(_ share: Double) -> Bool {
      let likelihood =
        (successes > 0 ? successes * log(share) : 0) + (failures > 0 ? failures * log1p(-share) : 0)
      return mixed - likelihood >= -log(1 - confidence)
    }
    /// The end of the shares that are not excluded, between one that is not and one that may be.
    func end(_ start: Double, _ limit: Double) -> Double {
      guard isExcluded(limit) else { return limit }
      var inside = start
      var outside = limit
      while abs(outside - inside) > 1e-9 {
        let middle = (inside + outside) / 2
        if isExcluded(middle) { outside = middle } else { inside = middle }
      }
      return outside
    }
    let mean = trials > 0 ? successes / trials : 0.5
    return end(mean, 0)...end(mean, 1)
  }

  private static func logBeta(_ a: Double, _ b: Double) -> Double { lgamma(a) + lgamma(b) - lgamma(a + b) }
}
