/// One detector on one part of one run.
public struct ExperimentRow: Sendable, Hashable, Codable {
  /// The column of noisy labels.
  public var labels: String
  public var verifiedClasses: Int
  public var perClass: Int
  public var seed: UInt64
  public var detector: String
  public var part: JudgedPart
  public var metrics: DetectionMetrics
  /// On the scale of the detector's scores; nil where it decides by a rule of its own, or calls all labels right.
  public var threshold: Double?
  /// Of the detector's own work, with what it shares with others.
  public var seconds: Double
  /// By how many bytes the process grew at most while the detector judged; nil where that cannot be measured.
  public var peakMemory: Int?
  /// Where the part is the verified classes: what the guarantee said of their kept images, and what is true.
  public var guarantee: GuaranteeCheck?
}

/// A bound on the noise among kept images beside the truth.
public struct GuaranteeCheck: Sendable, Hashable, Codable {
  /// ``NoiseGuarantee``'s bound for all covered classes together, with 95 % confidence.
  public var upper: Double
  /// The share of wrong labels among the images kept, verified ones included.
  public var actual: Double

  public var holds: Bool { actual <= upper }

  /// nil where nothing was verified or kept.
  ///
  /// - Parameter truth: Per image whether its label is right; images of which nobody knows are left out.
  init?(_ decisions: [Bool?], labels: [Int], truth: [Bool?], verdicts: [Int: Bool]) {
    let known = labels.indices.map { truth[$0] == nil ? -1 : labels[$0] }
    let isKept = labels.indices.map { decisions[$0] == true && known[$0] >= 0 }
    guard let guarantee = NoiseGuarantee(labels: known, isKept: isKept, verdicts: verdicts) else {
      return nil
    }
    let covered = Set(guarantee.covered)
    let kept = labels.indices.filter { isKept[$0] && covered.contains(labels[$0]) }
    guard !kept.isEmpty else { return nil }
    upper = guarantee.overall.upper
    actual = Double(kept.count { truth[$0] == false }) / Double(kept.count)
  }
}
