import CleanNet
import Evaluation
import Testing

@Suite struct RankingTests {
  @Test func areaIsTheShareOfPairsInOrder() {
    // All assignments of truth to six scores with ties, against the definition.
    let scores = [0.1, 0.3, 0.3, 0.5, 0.5, 0.9]
    for truth in 1..<63 {
      let isRight = (0..<6).map { truth >> $0 & 1 == 1 }
      var sum = 0.0
      var pairs = 0.0
      for wrong in 0..<6 where !isRight[wrong] {
        for right in 0..<6 where isRight[right] {
          pairs += 1
          sum += scores[wrong] < scores[right] ? 1 : scores[wrong] == scores[right] ? 0.5 : 0
        }
      }
      #expect(abs((Ranking(scores: scores, isRight: isRight).auroc ?? .nan) - sum / pairs) < 1e-12)
    }
  }

  @Test func withoutBothKindsThereIsNoArea() {
    #expect(Ranking(scores: [1, 2], isRight: [true, true]).auroc == nil)
    #expect(Ranking(scores: [1, 2], isRight: [true, true]).averagePrecision == nil)
    #expect(Ranking(scores: [], isRight: []).rocCurve.isEmpty)
  }

  @Test func liftOfAPerfectOrderIsTheInverseOfTheNoise() {
    let ranking = Ranking(scores: [1, 2, 3, 4], isRight: [false, true, true, true])
    #expect(ranking.lift(at: 1) == 4)
    #expect(ranking.lift(at: 2) == 2)
    #expect(ranking.lift(at: 4) == 1)
    #expect(ranking.lift(at: 5) == nil)
  }

  @Test func liftSharesATiedGroup() {
    let ranking = Ranking(scores: [1, 1, 2, 2], isRight: [false, true, true, true])
    #expect(ranking.lift(at: 1) == 2)
  }

  @Test func areaUnderTheCurvePointsIsTheArea() {
    let ranking = Ranking(
      scores: [0.1, 0.2, 0.2, 0.4, 0.5, 0.5, 0.7], isRight: [false, true, false, false, true, true, true])
    let curve = ranking.rocCurve
    var area = 0.0
    for (a, b) in zip(curve, curve.dropFirst()) { area += (b.x - a.x) * (a.y + b.y) / 2 }
    #expect(abs(area - (ranking.auroc ?? .nan)) < 1e-12)
    #expect(curve.first?.x == 0 && curve.last?.y == 1)
  }
}
