import CleanNet
import Evaluation
import Testing
import Torch

@Suite struct BoundTests {
  /// The bound's promise, by simulation: whatever the true share, at least 95 of 100 bounds reach it.
  @Test(arguments: [0.005, 0.02, 0.1, 0.4])
  func coversTheTrueShare(share: Double) {
    var random = SplitMix64(seed: 9)
    let trials = 120
    let repetitions = 4000
    // The bound of each possible outcome, once.
    let bounds = (0...trials).map { ClopperPearson.upperBound(successes: $0, trials: trials) }
    var covered = 0
    for _ in 0..<repetitions {
      let successes = (0..<trials).count { _ in Double.random(in: 0..<1, using: &random) < share }
      if bounds[successes] >= share { covered += 1 }
    }
    // Three standard deviations of the simulation below the promise; and not so wide as to say nothing.
    let deviation = (0.95 * 0.05 / Double(repetitions)).squareRoot()
    #expect(Double(covered) / Double(repetitions) > 0.95 - 3 * deviation)
    #expect(bounds[Int((share * Double(trials)).rounded())] < share + 0.12)
  }

  @Test func agreesWithTheClosedFormWithoutSuccesses() {
    // 1 − α^(1/n)
    #expect(abs(ClopperPearson.upperBound(successes: 0, trials: 1) - 0.95) < 1e-12)
    #expect(abs(ClopperPearson.upperBound(successes: 0, trials: 2) - (1 - 0.05.squareRoot())) < 1e-12)
    #expect(ClopperPearson.upperBound(successes: 5, trials: 5) == 1)
    #expect(ClopperPearson.upperBound(successes: 0, trials: 0) == 1)
    #expect(ClopperPearson.lowerBound(successes: 0, trials: 7) == 0)
  }

  @Test func bootstrapIntervalsHoldTheMetric() throws {
    var random = SplitMix64(seed: 2)
    let isRight = (0..<200).map { $0 % 3 != 0 }
    let judged = JudgedLabels(
      scores: isRight.map { Double.random(in: 0..<1, using: &random) + ($0 ? 0.4 : 0) }, isRight: isRight,
      labels: (0..<200).map { $0 % 2 }, decisions: isRight)
    let estimate = try #require(
      Estimate.bootstrap(judged, resamples: 200, seed: 1) { Ranking($0).auroc })
    #expect(estimate.low < estimate.mean && estimate.mean < estimate.high)
    #expect(estimate.high - estimate.low > 0.03 && estimate.high - estimate.low < 0.3)
    #expect(Estimate.bootstrap(judged, resamples: 200, seed: 1) { Ranking($0).auroc } == estimate)
  }

  @Test func aSingleRunHasNoInterval() {
    #expect(Estimate(runs: [0.5]) == Estimate(mean: 0.5, low: 0.5, high: 0.5))
    #expect(Estimate(runs: [.nan]) == nil)
  }
}
