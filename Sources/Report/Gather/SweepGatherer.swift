import Evaluation

/// The images that each threshold would keep and drop, by the model's own probabilities and by known labels.
struct SweepGatherer {
  let table: LabelTable
  let truth: [Bool?]?

  /// Steps from one end of the scores to the other.
  private static let steps = 100

  func sweep(range: ClosedRange<Double>) -> ThresholdSweep? {
    guard let threshold = table.usualThreshold else { return nil }
    let step = (range.upperBound - range.lowerBound) / Double(Self.steps)
    let thresholds = (0...Self.steps).map {
      ((range.lowerBound + Double($0) * step).rounded(to: 4) ?? 0)
    }
    let judged = table.judged.sorted { table.score[$0] < table.score[$1] }
    let wrong = judged.reduce(0.0) { $0 + 1 - Double(table.probability[$1]) }
    let verified = judged.filter { table.randomVerdicts[$0] != nil }
    let known = judged.filter { table.verdicts[$0] == nil && truth?[$0] != nil }
    var place = 0
    var droppedWrong = 0.0
    let rows = thresholds.map { threshold in
      // The scores that lie below this threshold, but not below the last.
      while place < judged.count, Double(table.score[judged[place]]) < threshold {
        droppedWrong += 1 - Double(table.probability[judged[place]])
        place += 1
      }
      return ThresholdSweep.Row(
        threshold: threshold, kept: judged.count - place, dropped: place,
        precision: share(droppedWrong, of: Double(place)), recall: share(droppedWrong, of: wrong),
        noiseKept: share(wrong - droppedWrong, of: Double(judged.count - place)),
        verified: measured(verified, threshold) { table.randomVerdicts[$0] },
        truth: measured(known, threshold) { truth?[$0] ?? nil })
    }
    let nearest = rows.indices.min {
      abs(rows[$0].threshold - threshold) < abs(rows[$1].threshold - threshold)
    }
    return ThresholdSweep(rows: rows, current: nearest ?? 0, threshold: threshold.rounded(to: 6) ?? 0)
  }

  private func measured(
    _ images: [Int], _ threshold: Double, isRight: (Int) -> Bool?
  ) -> ThresholdSweep.Measured? {
    guard !images.isEmpty else { return nil }
    let counts = DecisionCounts(
      JudgedLabels(
        scores: images.map { Double(table.score[$0]) }, isRight: images.map { isRight($0) ?? true },
        labels: images.map { table.labels[$0] },
        decisions: images.map { Double(table.score[$0]) >= threshold }))
    let kept = counts.missed + counts.kept
    return ThresholdSweep.Measured(
      counts: counts, precision: share(Double(counts.found), of: Double(counts.found + counts.blamed)),
      recall: share(Double(counts.found), of: Double(counts.found + counts.missed)),
      noiseKeptUpper: kept == 0
        ? nil : ClopperPearson.upperBound(successes: counts.missed, trials: kept).rounded(to: 6))
  }

  private func share(_ part: Double, of whole: Double) -> Double? {
    whole > 0 ? (max(0, part) / whole).rounded(to: 6) : nil
  }
}
