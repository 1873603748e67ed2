import Foundation
import Testing
import Torch

@testable import CleanNet

@Suite("Decisions") struct DecisionTests {
  @Test("the threshold has the least average error of all, found by trying every one", arguments: 0..<20)
  func threshold(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let judged = (0..<30).map { _ in
      (
        score: Double(Int.random(in: 0..<12, using: &random)), label: Int.random(in: 0..<3, using: &random),
        isRight: Bool.random(using: &random)
      )
    }
    func error(_ threshold: Double) -> Double {
      let classes = Dictionary(grouping: judged) { $0.label }
      return classes.values.reduce(0) { sum, members in
        sum + Double(members.count { ($0.score >= threshold) != $0.isRight }) / Double(members.count)
      }
    }
    let found = try #require(bestThreshold(judged))
    let least = (0...13).map { error(Double($0) - 0.5) }.min() ?? 0
    #expect(abs(error(found) - least) < 1e-9)
  }

  @Test("of equally good gaps the middle one is taken, the lower of two")
  func ties() {
    let judged = [(0.0, true), (1, false), (2, true), (3, false)].map {
      (score: $0.0, label: 0, isRight: $0.1)
    }
    // −∞, 1.5 and ∞ misjudge two of four each; every other threshold three.
    #expect(bestThreshold(judged) == 1.5)
    #expect(bestThreshold(Array(judged.prefix(2))) == -.infinity)
  }

  @Test("nothing to judge by gives no threshold; one kind of verdict gives the natural one")
  func degenerate() {
    #expect(bestThreshold([]) == nil)
    let decision = Decision.fitted([(score: 0.9, label: 0, isRight: true)], natural: 0.1, slope: 10)
    #expect(decision.threshold == 0.1 && abs(decision.probability(0.1) - 0.5) < 1e-12)
  }

  @Test("calibration finds the slope and intercept that verdicts were drawn with")
  func calibration() {
    var random = SplitMix64(seed: 3)
    let judged = (0..<8000).map { _ -> (score: Double, label: Int, isRight: Bool) in
      let score = Double.random(in: -1...1, using: &random)
      let probability = 1 / (1 + exp(-(4 * score - 1)))
      return (score, 0, Double.random(in: 0..<1, using: &random) < probability)
    }
    let decision = Decision.fitted(judged, natural: 0, slope: 10)
    #expect(abs(decision.slope - 4) < 0.4 && abs(decision.intercept + 1) < 0.15)
    #expect(abs(decision.threshold - 0.25) < 0.15)
  }

  @Test("separable verdicts give a finite, rising calibration")
  func separable() {
    let judged = (0..<20).map { (score: Double($0), label: 0, isRight: $0 >= 10) }
    let decision = Decision.fitted(judged, natural: 0, slope: 1)
    #expect(decision.threshold == 9.5 && decision.slope > 0 && decision.slope.isFinite)
    #expect(decision.probability(19) > 0.9 && decision.probability(0) < 0.1)
  }
}
