import CleanNet
import Detectors

/// All metrics of one detector on one set of images.
package struct DetectionMetrics: Sendable, Hashable, Codable {
  /// The number of images judged.
  package var images: Int
  /// How many of their labels are wrong.
  package var wrong: Int
  /// In percent, averaged over classes: see ``averageErrorRate(_:)``.
  package var averageErrorRate: Double
  /// nil where all labels are right, or all wrong.
  package var auroc: Double?
  /// Of finding wrong labels; nil where none is wrong.
  package var averagePrecision: Double?
  package var precision: Double
  package var recall: Double
  package var f1: Double
  /// The share of wrong labels among those kept.
  package var noiseAmongKept: Double
  /// Lift by the number of labels looked at; without numbers that do not apply.
  package var liftAt: [Int: Double]
  /// Only where the scores are probabilities.
  package var calibrationError: Double?
  package var brierScore: Double?

  /// - Parameters:
  ///   - scoresAreProbabilities: Whether calibration applies.
  ///   - liftAt: Numbers of labels for which lift is wanted.
  package init(_ judged: JudgedLabels, scoresAreProbabilities: Bool = false, liftAt: [Int] = [100]) {
    let ranking = Ranking(judged)
    let counts = DecisionCounts(judged)
    images = judged.count
    wrong = judged.wrong
    averageErrorRate = Evaluation.averageErrorRate(judged)
    auroc = ranking.auroc
    averagePrecision = ranking.averagePrecision
    precision = counts.precision
    recall = counts.recall
    f1 = counts.f1
    noiseAmongKept = counts.noiseAmongKept
    self.liftAt = Dictionary(
      uniqueKeysWithValues: Set(liftAt).compactMap { k in ranking.lift(at: k).map { (k, $0) } })
    guard scoresAreProbabilities, judged.count > 0 else { return }
    let calibration = Calibration(probabilities: judged.scores, isRight: judged.isRight)
    calibrationError = calibration.expectedError
    brierScore = calibration.brierScore
  }

  /// The metrics of each class by itself.
  package static func perClass(
    _ judged: JudgedLabels, scoresAreProbabilities: Bool = false, liftAt: [Int] = [100]
  ) -> [Int: DetectionMetrics] {
    Dictionary(
      uniqueKeysWithValues: judged.classes.map {
        (
          $0,
          DetectionMetrics(judged.ofClass($0), scoresAreProbabilities: scoresAreProbabilities, liftAt: liftAt)
        )
      })
  }
}
