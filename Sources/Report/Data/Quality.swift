import Evaluation

/// The effect of other thresholds.
package struct ThresholdSweep: Sendable, Codable {
  /// Ascending.
  package var rows: [Row]
  /// The place of the row that is nearest to the threshold in use.
  package var current: Int
  /// The threshold in use; where classes have different ones, the median.
  package var threshold: Double

  /// Labels below `threshold` are dropped, by the model alone.
  package struct Row: Sendable, Codable {
    package var threshold: Double
    package var kept: Int
    package var dropped: Int
    /// By the model's own probabilities: the share of the dropped that are wrong, of the wrong that are dropped, and
    /// of the kept that are wrong.
    package var precision: Double?
    package var recall: Double?
    package var noiseKept: Double?
    /// On verified images.
    package var verified: Measured?
    /// On unverified images whose truth is known.
    package var truth: Measured?
  }

  /// Measured on images whose truth is known.
  package struct Measured: Sendable, Codable {
    package var counts: DecisionCounts
    package var precision: Double?
    package var recall: Double?
    /// The upper end of a one-sided 95 % interval for the share of wrong labels among the kept ones.
    package var noiseKeptUpper: Double?
  }
}

/// How well scores tell right from wrong labels, on images whose truth is known.
package struct Quality: Sendable, Codable {
  /// Such as "Verified images".
  package var name: String
  package var explanation: String
  package var metrics: DetectionMetrics
  /// With a bootstrap interval; nil where it is not defined or costs too much.
  package var auroc: Estimate?
  package var roc: [[Double]]
  package var precisionRecall: [[Double]]
  package var calibration: Calibration?
}
