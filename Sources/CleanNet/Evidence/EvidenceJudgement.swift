import Foundation
import Torch

/// The outcome of bringing all evidence together, a row an image.
struct EvidenceJudgement: Sendable {
  /// Calibrated log-odds that the label is right: `[N]`; 0 is the threshold.
  var logOdds: Tensor
  /// About the true class, the last column standing for none of them; verdicts included: `[N, C + 1]`.
  var beliefs: Tensor

  /// A weighted mean with another judgement of the same images.
  func mixed(with other: EvidenceJudgement, share: Double) -> EvidenceJudgement {
    EvidenceJudgement(
      logOdds: logOdds * (1 - share) + other.logOdds * share,
      beliefs: beliefs * (1 - share) + other.beliefs * share)
  }
}

/// A weighted mean of judgements, of which sums alone are kept: tables of images × classes are large.
struct RunningJudgement {
  /// `[N]`
  private let logOdds: Tensor
  /// `[N, C + 1]`
  private let beliefs: Tensor
  /// Weights are relative to the largest so far, so that none overflows.
  private var (most, total) = (-Double.infinity, 0.0)

  init(rows: Int, classes: Int) {
    logOdds = .zeros([rows])
    beliefs = .zeros([rows, classes + 1])
  }

  /// - Parameters:
  ///   - scale: A factor on the log-odds.
  ///   - beliefs: What is added up with shares that sum to 1; fewer columns than the sum's are its first.
  mutating func add(
    logWeight: Double, logOdds: Tensor, scale: Double, beliefs: [(beliefs: Tensor, share: Double)]
  ) {
    if logWeight > most {
      let shrink = exp(most - logWeight)
      for sum in [self.logOdds, self.beliefs] { sum.multiplyInPlace(shrink) }
      (most, total) = (logWeight, total * shrink)
    }
    let weight = exp(logWeight - most)
    total += weight
    self.logOdds.addInPlace(logOdds, scale: weight * scale)
    for (part, share) in beliefs where share > 0 {
      self.beliefs.narrow(dim: 1, start: 0, count: part.size(1)).addInPlace(part, scale: weight * share)
    }
  }

  var judgement: EvidenceJudgement {
    EvidenceJudgement(logOdds: logOdds / total, beliefs: beliefs / total)
  }
}
