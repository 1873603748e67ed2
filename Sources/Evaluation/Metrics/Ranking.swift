import CleanNet

extension Ranking {
  package init(_ judged: JudgedLabels) { self.init(scores: judged.scores, isRight: judged.isRight) }

  /// The average precision of finding wrong labels, `Σ (R_n − R_{n−1}) P_n`. nil where none is wrong.
  package var averagePrecision: Double? {
    guard wrong > 0 else { return nil }
    var sum = 0.0
    var before = 0
    for step in steps {
      sum += Double(step.wrong - before) * Double(step.wrong) / Double(step.wrong + step.right)
      before = step.wrong
    }
    return sum / Double(wrong)
  }

  /// How many times more often than overall a label is wrong among the `k` lowest scores; of a group of equal scores
  /// that `k` cuts through, its mean counts. nil where none is wrong or there are not `k`.
  package func lift(at k: Int) -> Double? {
    guard wrong > 0, k > 0, k <= wrong + right else { return nil }
    var wrongBefore = 0
    var passed = 0
    var found = 0.0
    for step in steps {
      let size = step.wrong + step.right - passed
      if passed + size >= k {
        found = Double(wrongBefore) + Double(step.wrong - wrongBefore) * Double(k - passed) / Double(size)
        break
      }
      wrongBefore = step.wrong
      passed += size
    }
    return found / Double(k) / (Double(wrong) / Double(wrong + right))
  }

  /// The ROC curve from (0, 0) to (1, 1): x the share of right labels called wrong, y the share of wrong labels found.
  /// Points within straight stretches are left out. Empty where there are not both kinds.
  package var rocCurve: [CurvePoint] {
    guard wrong > 0, right > 0 else { return [] }
    let points =
      [CurvePoint(x: 0, y: 0, threshold: -.infinity)]
      + steps.map {
        CurvePoint(
          x: Double($0.right) / Double(right), y: Double($0.wrong) / Double(wrong), threshold: $0.score)
      }
    return CurvePoint.corners(points)
  }

  /// The precision–recall curve by growing recall: x the share of wrong labels found, y the share of the labels called
  /// wrong that are. Empty where none is wrong.
  package var precisionRecallCurve: [CurvePoint] {
    guard wrong > 0 else { return [] }
    return steps.map {
      CurvePoint(
        x: Double($0.wrong) / Double(wrong), y: Double($0.wrong) / Double($0.wrong + $0.right),
        threshold: $0.score)
    }
  }
}

/// A point of a curve: what calling all labels with a score up to `threshold` wrong gives.
package struct CurvePoint: Sendable, Hashable {
  package var x: Double
  package var y: Double
  package var threshold: Double

  package init(x: Double, y: Double, threshold: Double = .nan) {
    self.x = x
    self.y = y
    self.threshold = threshold
  }

  /// Without the points on the line between their neighbors.
  static func corners(_ points: [CurvePoint]) -> [CurvePoint] {
    points.indices.filter { index in
      guard index > 0, index + 1 < points.count else { return true }
      let a = points[index - 1]
      let b = points[index]
      let c = points[index + 1]
      let horizontal = a.y == b.y && b.y == c.y
      let vertical = a.x == b.x && b.x == c.x
      return !(horizontal || vertical)
    }.map { points[$0] }
  }
}
