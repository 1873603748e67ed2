import Testing

@testable import Evaluation
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
      cosine: probability, verdicts: verdicts, randomVerdicts: verdicts, unsure: 0, unsureDrawn: 0,
      basis: .probability,
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

  @Test func onlyMoreThanChanceIsRemarkable() throws {
    // 90 labels called wrong in each of four classes: spread evenly, or two thirds of one class in one place.
    func pairs(_ suggestions: [[Int32]]) -> [Confusions.Pair] {
      let labels = (0..<4).flatMap { Array(repeating: $0, count: 90) }
      let flat = suggestions.flatMap { $0 }
      let known = [Float](repeating: 0.1, count: 360)
      let table = LabelTable(
        classNames: ["a", "b", "c", "d"], labels: labels, allLabels: labels, splitNames: ["train"],
        splits: Array(repeating: 0, count: 360), probability: known, score: known,
        threshold: Array(repeating: 0.5, count: 360), isWrong: Array(repeating: true, count: 360),
        suggestions: flat, cosine: known, verdicts: [:], randomVerdicts: [:], unsure: 0, unsureDrawn: 0,
        basis: .probability, scoreKey: "key")
      return ConfusionGatherer(table: table).confusions().pairs
    }
    func others(_ label: Int, _ shift: Int) -> Int32 { Int32((label + 1 + shift % 3) % 4) }
    let even = pairs((0..<4).map { label in (0..<90).map { others(label, $0) } })
    #expect(even.allSatisfy { $0.isRemarkable == false && $0.expected == 30 })
    let one = pairs((0..<4).map { label in (0..<90).map { label == 2 && $0 < 60 ? 0 : others(label, $0) } })
    #expect(one.first.map { [$0.label, $0.suggestion] } == [2, 0] && one.first?.isRemarkable == true)
    #expect(one.dropFirst().allSatisfy { $0.isRemarkable == false })
  }

  @Test func theNextStepHasAPrice() {
    // By hand: 1 − 0.05^(1/n) is at most 3 % from n = 99 on.
    let looks = ConclusionFinder.looks(to: 0.03, from: nil)
    #expect((99...110).contains(looks))
    func bound(_ wrong: Int, _ sample: Int, _ upper: Double) -> NoiseGuarantee.Bound {
      NoiseGuarantee.Bound(kept: 1000, sample: sample, wrong: wrong, upper: upper)
    }
    func use(_ noise: Double?, _ bound: NoiseGuarantee.Bound?) -> Summary.Conclusion.Use {
      ConclusionFinder(isJudged: noise != nil, noise: noise, guarantee: bound).conclusion.use
    }
    #expect(use(nil, nil) == .unknown && use(0.02, bound(0, 100, 0.03)) == .use)
    #expect(use(0.02, bound(5, 100, 0.1)) == .clean && use(0.02, nil) == .clean && use(0.5, nil) == .avoid)
  }

  @Test func classesThatAreDarkerThanOthersAreFound() {
    let values = (0..<90).map { place -> (label: Int, value: Double) in
      let value = Double(place % 10) / 10
      return (label: place / 30, value: place / 30 == 1 ? value - 2 : value)
    }
    let groups = OddGroupFinder.odd(values, "brightness")
    #expect(groups.map(\.label) == [1])
    #expect(groups.first?.mean == -1.55 && groups.first?.elsewhere == 0.45 && groups.first?.images == 30)
    #expect(OddGroupFinder.odd(values.map { (label: $0.label, value: 1.0) }, "contrast").isEmpty)
  }
}
