import Foundation
import Torch

/// How cross-validated probabilities become a score of the label; p_y is the probability of the noisy label y.
package enum LabelQualityScore: String, Sendable, Hashable, Codable, CaseIterable {
  /// `p_y`
  case selfConfidence = "self-confidence"
  /// `(p_y − max over c ≠ y of p_c + 1) / 2`
  case normalizedMargin = "normalized-margin"
  /// The entropy of p, divided by its largest possible value and by p_y, as `log(1 + e) / e`: near 1 where the model is
  /// certain of the label. It is lower the less certain the model is, of y in particular.
  case confidenceWeightedEntropy = "weighted-entropy"

  /// The scores of all rows.
  package func scores(_ probabilities: ClassProbabilities) -> [Float] {
    (0..<probabilities.count).map { row in
      switch self {
      case .selfConfidence: probabilities.own(row)
      case .normalizedMargin: (probabilities.own(row) - probabilities.bestOther(row) + 1) / 2
      case .confidenceWeightedEntropy: Self.weightedEntropy(probabilities, row)
      }
    }
  }

  /// Probabilities and ratios below this count as this.
  private static let smallest = 1e-6

  private static func weightedEntropy(_ probabilities: ClassProbabilities, _ row: Int) -> Float {
    var entropy = 0.0
    for value in probabilities.row(row) where value > 0 { entropy -= Double(value) * log(Double(value)) }
    let normalized = entropy / log(Double(max(2, probabilities.classes)))
    let ratio = normalized / max(Double(probabilities.own(row)), smallest)
    return Float(log1p(ratio) / max(ratio, smallest))
  }
}

/// Ranks labels by cross-validated probabilities of a classifier trained on all the noisy labels.
///
/// Source: Northcutt, Jiang & Chuang, "Confident Learning" (JAIR 2021) and the scores of Kuan & Mueller, "Model-agnostic
/// label quality scoring" (2022). Cost: ``CrossValidation``, shared among the detectors that use it.
package struct LabelQuality: Detector {
  package var name: String { score.rawValue }
  package let kind = DetectorKind.unsupervised
  package let score: LabelQualityScore
  package let validation: CrossValidation

  package init(_ score: LabelQualityScore, validation: CrossValidation = CrossValidation()) {
    self.score = score
    self.validation = validation
  }

  package func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    try problem.requireClasses(name)
    let found = problem.shared.probabilities(validation, problem, progress: progress)
    return Detection(
      scores: problem.scattered(score.scores(found.value), images: problem.images),
      scoresAreProbabilities: score == .selfConfidence, reusedSeconds: found.reusedSeconds)
  }
}
