import Evaluation

/// What other thresholds would do.
public struct ThresholdSweep: Sendable, Codable {
  /// Ascending.
  public var rows: [Row]
  /// The place of the row that is nearest to the threshold in use.
  public var current: Int
  /// The threshold in use; where classes have different ones, the median.
  public var threshold: Double

  /// Labels below `threshold` are dropped, by the model alone.
  public struct Row: Sendable, Codable {
    public var threshold: Double
    public var kept: Int
    public var dropped: Int
    /// By the model's own probabilities: the share of the dropped that are wrong, of the wrong that are dropped, and
    /// of the kept that are wrong.
    public var precision: Double?
    public var recall: Double?
    public var noiseKept: Double?
    /// On verified images.
    public var verified: Measured?
    /// On unverified images whose truth is known.
    public var truth: Measured?
  }

  /// Measured on images whose truth is known.
  public struct Measured: Sendable, Codable {
    public var counts: DecisionCounts
    public var precision: Double?
    public var recall: Double?
    /// The upper end of a one-sided 95 % interval for the share of wrong labels among the kept ones.
    public var noiseKeptUpper: Double?
  }
}

/// How well scores tell right from wrong labels, on images whose truth is known.
public struct Quality: Sendable, Codable {
  /// Such as "Verified images".
  public var name: String
  public var explanation: String
  public var metrics: DetectionMetrics
  /// With a bootstrap interval; nil where it is not defined or costs too much.
  public var auroc: Estimate?
  public var roc: [[Double]]
  public var precisionRecall: [[Double]]
  public var calibration: Calibration?
}
