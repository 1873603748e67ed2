import Detectors
import Testing

@Suite struct ThresholdTests {
  /// By definition: the average over classes of the share misjudged at a threshold.
  private func rate(_ threshold: Double, _ scores: [Float], _ labels: [Int], _ verdicts: [Int: Bool])
    -> Double
  {
    var classes: [Int: (errors: Double, count: Double)] = [:]
    for (image, right) in verdicts where !scores[image].isNaN {
      classes[labels[image], default: (0, 0)].count += 1
      if (Double(scores[image]) >= threshold) != right { classes[labels[image], default: (0, 0)].errors += 1 }
    }
    return classes.values.reduce(0) { $0 + $1.errors / $1.count } / Double(classes.count)
  }

  @Test func noThresholdIsBetterInAllSmallCases() {
    let scores: [Float] = [0.1, 0.4, 0.4, 0.7, .nan, 0.9]
    let labels = [0, 0, 1, 1, 0, 1]
    for truth in 0..<64 {
      let verdicts = Dictionary(uniqueKeysWithValues: (0..<6).map { ($0, truth >> $0 & 1 == 1) })
      let chosen = DetectionThreshold.choose(scores: scores, labels: labels, verdicts: verdicts)
      #expect(chosen != nil)
      let best = [-1, 0.25, 0.55, 0.8, 2].map { rate($0, scores, labels, verdicts) }.min() ?? .nan
      #expect(abs(rate(chosen ?? .nan, scores, labels, verdicts) - best) < 1e-12)
    }
  }

  @Test func liesInTheMiddleOfTheGap() {
    let chosen = DetectionThreshold.choose(
      scores: [0.25, 0.5, 1], labels: [0, 0, 0], verdicts: [0: false, 1: false, 2: true])
    #expect(chosen == 0.75)
  }

  @Test func classesCountAlikeWhateverTheirSize() {
    // Class 0 has one wrong label at 0.5, class 1 three right ones below it: by images 0.5 would be kept.
    let verdicts = [0: false, 1: true, 2: true, 3: true, 4: true, 5: true]
    let chosen = DetectionThreshold.choose(
      scores: [0.5, 0.9, 0.4, 0.6, 0.6, 0.6], labels: [0, 1, 1, 1, 1, 1], verdicts: verdicts)
    #expect((chosen ?? 0) > 0.5 && (chosen ?? 1) <= 0.6)
  }

  @Test func withoutVerifiedScoresThereIsNone() {
    #expect(DetectionThreshold.choose(scores: [.nan, 1], labels: [0, 0], verdicts: [0: true]) == nil)
    #expect(DetectionThreshold.choose(scores: [0, 1], labels: [0, 0], verdicts: [:]) == nil)
  }

  @Test func allRightOrAllWrongNeedNoScore() {
    #expect(
      DetectionThreshold.choose(scores: [0, 1], labels: [0, 0], verdicts: [0: true, 1: true]) == -.infinity)
    #expect(
      DetectionThreshold.choose(scores: [0, 1], labels: [0, 0], verdicts: [0: false, 1: false]) == .infinity)
  }
}
