import CleanNet
import Evaluation

/// Curves and metrics on images whose truth is known.
struct QualityGatherer {
  let table: LabelTable
  let truth: [Bool?]?
  let truthName: String?

  /// Points of a curve that the page draws.
  private static let points = 250
  /// Resampling more images costs too much.
  private static let bootstrapped = 3000

  func quality() -> [Quality] {
    var found: [Quality] = []
    let judged = table.judged
    let verified = judged.filter { table.randomVerdicts[$0] != nil }
    if let quality = quality(
      "Verified images", verified,
      explanation: "Randomly drawn images that a person verified, each judged without its own verdict.",
      isRight: { table.randomVerdicts[$0] })
    {
      found.append(quality)
    }
    guard let truth, let truthName else { return found }
    let classes = Set(table.verdicts.keys.map { table.labels[$0] })
    let known = judged.filter { table.verdicts[$0] == nil && truth[$0] != nil }
    let parts = [
      ("Other images of verified classes", known.filter { classes.contains(table.labels[$0]) }),
      ("Classes that nobody verified", known.filter { !classes.contains(table.labels[$0]) }),
    ]
    for (name, images) in parts {
      let explanation = "Unverified images, by the true labels in the column “\(truthName)”."
      if let quality = quality(name, images, explanation: explanation, isRight: { truth[$0] }) {
        found.append(quality)
      }
    }
    return found
  }

  private func quality(
    _ name: String, _ images: [Int], explanation: String, isRight: (Int) -> Bool?
  ) -> Quality? {
    guard !images.isEmpty else { return nil }
    let judged = JudgedLabels(
      scores: images.map { Double(table.score[$0]) }, isRight: images.map { isRight($0) ?? true },
      labels: images.map { table.labels[$0] }, decisions: images.map(table.isKept))
    let ranking = Ranking(judged)
    let calibration = Calibration(
      probabilities: images.map { Double(table.probability[$0]) }, isRight: judged.isRight)
    return Quality(
      name: name, explanation: explanation,
      metrics: DetectionMetrics(judged, scoresAreProbabilities: table.basis == .probability, liftAt: []),
      auroc: judged.count <= Self.bootstrapped
        ? Estimate.bootstrap(judged, resamples: 200) { Ranking($0).auroc } : nil,
      roc: Self.points(ranking.rocCurve), precisionRecall: Self.points(ranking.precisionRecallCurve),
      calibration: calibration)
  }

  /// Every this many points of a curve, and its ends.
  private static func points(_ curve: [CurvePoint]) -> [[Double]] {
    let stride = max(1, curve.count / points)
    return curve.indices.filter { $0 % stride == 0 || $0 + 1 == curve.count }.map {
      [curve[$0].x.rounded(to: 5) ?? 0, curve[$0].y.rounded(to: 5) ?? 0]
    }
  }
}
