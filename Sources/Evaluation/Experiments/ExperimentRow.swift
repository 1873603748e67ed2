/// One detector on one part of one run.
package struct ExperimentRow: Sendable, Hashable, Codable {
  /// The column of noisy labels.
  package var labels: String
  package var verifiedClasses: Int
  package var perClass: Int
  package var seed: UInt64
  package var detector: String
  package var part: JudgedPart
  package var metrics: DetectionMetrics
  /// On the scale of the detector's scores; nil where it decides by a rule of its own, or calls all labels right.
  package var threshold: Double?
  /// Of the detector's own work, with what it shares with others.
  package var seconds: Double
  /// By how many bytes the process grew at most while the detector judged; nil where that cannot be measured.
  package var peakMemory: Int?
  /// Where the part is the verified classes: the guarantee for their kept images, and the truth.
  package var guarantee: GuaranteeCheck?
}

/// A bound on the noise among kept images beside the truth.
package struct GuaranteeCheck: Sendable, Hashable, Codable {
  /// ``NoiseGuarantee``'s bound for all covered classes together, with 95 % confidence.
  package var upper: Double
  /// The share of wrong labels among the images kept, verified ones included.
  package var actual: Double

  package var holds: Bool { actual <= upper }

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
