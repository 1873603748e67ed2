import CleanNet

/// The rule by which a score becomes a decision: the label is right where `score ≥ threshold`.
package enum DetectionThreshold {
  /// The ``bestThreshold(_:)`` of the verified images that have a score.
  ///
  /// - Parameters:
  ///   - scores: Of all images; NaN: no score.
  ///   - verdicts: Verification labels, image → label is right.
  /// - Returns: The threshold, −∞ where calling every label right is best, +∞ where calling every label wrong is. nil
  ///   where no verified image has a score.
  package static func choose(scores: [Float], labels: [Int], verdicts: [Int: Bool]) -> Double? {
    bestThreshold(
      verdicts.filter { !scores[$0.key].isNaN }.map { image, isRight in
        (score: Double(scores[image]), label: labels[image], isRight: isRight)
      })
  }

  /// The threshold for what a detector said; nil also where the detector decides by a rule of its own.
  package static func choose(_ detection: Detection, _ problem: DetectionProblem) -> Double? {
    guard detection.verdicts == nil else { return nil }
    return choose(scores: detection.scores, labels: problem.labels, verdicts: problem.verdicts)
  }
}
