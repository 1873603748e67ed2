import CleanNet
import Evaluation
import Foundation
import Testing

/// Against the values of scikit-learn and SciPy that Fixtures/make_fixtures.py writes; `make parity` has them computed
/// anew and names their folder in CLEANNET_PARITY.
@Suite struct MetricParityTests {
  struct Expected: Decodable {
    let scores: [Double]
    let isRight: [Bool]
    let labels: [Int]
    let threshold, auroc, averagePrecision, precision, recall, f1: Double
    let brier, calibrationError, averageErrorRate: Double
    let aurocOfClass: [Double]
    let roc, precisionRecall: [[Double]]
    let intervals: [Interval]
    let upperBounds: [UpperBound]

    struct Interval: Decodable {
      let values: [Double]
      let confidence, low, high: Double
    }
    struct UpperBound: Decodable {
      let successes, trials: Int
      let confidence, bound: Double
    }
  }

  let expected: Expected
  let judged: JudgedLabels

  init() throws {
    let folder = ProcessInfo.processInfo.environment["CLEANNET_PARITY"].map {
      URL(fileURLWithPath: $0).appendingPathComponent("EvaluationTests")
    }
    let file = (folder ?? Bundle.module.bundleURL.appendingPathComponent("Fixtures"))
      .appendingPathComponent("parity.json")
    let expected = try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
    self.expected = expected
    judged = JudgedLabels(
      scores: expected.scores, isRight: expected.isRight, labels: expected.labels,
      decisions: expected.scores.map { $0 >= expected.threshold })
  }

  private func near(_ a: Double?, _ b: Double) -> Bool { a.map { abs($0 - b) < 1e-9 } ?? false }

  @Test func metricsAreScikitLearns() {
    let metrics = DetectionMetrics(judged, scoresAreProbabilities: true)
    #expect(near(metrics.auroc, expected.auroc))
    #expect(near(metrics.averagePrecision, expected.averagePrecision))
    #expect(near(metrics.precision, expected.precision))
    #expect(near(metrics.recall, expected.recall))
    #expect(near(metrics.f1, expected.f1))
    #expect(near(metrics.brierScore, expected.brier))
    #expect(near(metrics.calibrationError, expected.calibrationError))
    #expect(near(metrics.averageErrorRate, expected.averageErrorRate))
    let perClass = DetectionMetrics.perClass(judged)
    for (label, auroc) in expected.aurocOfClass.enumerated() { #expect(near(perClass[label]?.auroc, auroc)) }
  }

  @Test func curvesAreScikitLearns() {
    let ranking = Ranking(judged)
    let points = Set(zip(expected.roc[0], expected.roc[1]).map { "\(rounded($0)) \(rounded($1))" })
    #expect(ranking.rocCurve.count > 10)
    for point in ranking.rocCurve { #expect(points.contains("\(rounded(point.x)) \(rounded(point.y))")) }
    #expect(ranking.precisionRecallCurve.map { rounded($0.x) } == expected.precisionRecall[0].map(rounded))
    #expect(ranking.precisionRecallCurve.map { rounded($0.y) } == expected.precisionRecall[1].map(rounded))
  }

  private func rounded(_ value: Double) -> Int { Int((value * 1e9).rounded()) }

  @Test func intervalsAreSciPys() {
    for interval in expected.intervals {
      let estimate = Estimate(runs: interval.values + [.nan], confidence: interval.confidence)
      #expect(near(estimate?.low, interval.low))
      #expect(near(estimate?.high, interval.high))
    }
  }

  @Test func boundsAreSciPys() {
    for bound in expected.upperBounds {
      let ours = ClopperPearson.upperBound(
        successes: bound.successes, trials: bound.trials, confidence: bound.confidence)
      #expect(near(ours, bound.bound))
    }
  }
}
