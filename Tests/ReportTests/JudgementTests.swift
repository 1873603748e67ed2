import Testing

@testable import Report

@Suite struct JudgementTests {
  /// Five images of one class with these probabilities; of the last nobody knows anything.
  private func table(verdicts: [Int: Bool] = [:]) -> LabelTable {
    let probability: [Float] = [0.1, 0.4, 0.6, 0.9, .nan]
    let isWrong: [Bool?] = [true, true, false, false, nil].enumerated().map { image, wrong in
      verdicts[image].map { !$0 } ?? wrong
    }
    return LabelTable(
      classNames: ["a", "b"], labels: [0, 0, 0, 0, 0], allLabels: [0, 0, 0, 0, 0], splitNames: ["train"],
      splits: [0, 0, 0, 0, 0], probability: probability, score: probability,
      threshold: [0.5, 0.5, 0.5, 0.5, .nan], isWrong: isWrong, suggestions: [1, 1, 0, 0, -1],
      cosine: probability, verdicts: verdicts, randomVerdicts: verdicts, unsure: 0, basis: .probability,
      scoreKey: "key")
  }

  @Test func sharesHaveClopperAndPearsonsInterval() throws {
    // Clopper and Pearson's tables; for none of ten the upper end is 1 − 0.025^(1/10).
    let none = try #require(Share(0, of: 10))
    #expect(none.low == 0 && abs(none.high - 0.3085) < 1e-4)
    let half = try #require(Share(5, of: 10))
    #expect(abs(half.low - 0.1871) < 1e-4 && abs(half.high - 0.8129) < 1e-4)
    #expect(Share(0, of: 0) == nil)
  }

  @Test func thresholdsCountWhatTheyDrop() throws {
    let sweep = try #require(
      SweepGatherer(table: table(verdicts: [1: true]), truth: [false, nil, true, true, true]).sweep(
        range: 0...1))
    #expect(sweep.rows.count == 101 && sweep.current == 50 && sweep.threshold == 0.5)
    let row = sweep.rows[50]
    #expect(row.dropped == 2 && row.kept == 2)
    // Expected wrong labels: 0.9 and 0.6 among the dropped, 0.4 and 0.1 among the kept.
    #expect(row.precision == 0.75 && row.recall == 0.75 && row.noiseKept == 0.25)
    // The verified image is right and would be dropped; of the unverified the truth is known of three.
    #expect(row.verified?.counts.blamed == 1 && row.verified?.counts.count == 1)
    #expect(row.truth?.counts.found == 1 && row.truth?.counts.kept == 2 && row.truth?.precision == 1)
    #expect(sweep.rows[0].dropped == 0 && sweep.rows[0].precision == nil && sweep.rows[0].recall == 0)
    #expect(sweep.rows[100].kept == 0 && sweep.rows[100].recall == 1)
  }

  @Test func galleriesBeginWithWhatNobodyHasSeen() {
    let table = table(verdicts: [0: false])
    #expect(SummaryGatherer.worst(table.judged, table, count: 5) == [1, 0])
    #expect(SummaryGatherer.worst(table.judged, table, count: 1) == [1])
  }

  @Test func confusionsAreOfLabelsCalledWrong() {
    let found = ConfusionGatherer(table: table()).confusions()
    #expect(found.matrix == [[0, 2], [0, 0]])
    #expect(found.pairs.map(\.images) == [2] && found.pairs.map(\.share) == [0.5])
    #expect(found.pairs.first?.examples == [0, 1])
  }

  @Test func scoresFallIntoBins() {
    var histogram = ScoreHistogram(low: -1, high: 1, threshold: 0)
    #expect(histogram.bin(-1) == 0 && histogram.bin(1) == 19 && histogram.bin(0) == 10)
    histogram.kept[3] += 1
    #expect(histogram.kept.reduce(0, +) == 1 && histogram.dropped.reduce(0, +) == 0)
  }
}
