/// Labels in the order of their scores, lowest first, with equal scores as one group: what the area under the ROC curve and
/// all curves of an evaluation are made of.
///
/// Wrong labels are the positives, found from the low end. Ties count as in scikit-learn: a group of equal scores is
/// passed in one step. Cost: one sort.
package struct Ranking: Sendable {
  /// After each group: wrong and right labels so far, and the group's score.
  package struct Step: Sendable {
    package var wrong: Int
    package var right: Int
    package var score: Double
  }
  package let steps: [Step]
  /// The number of wrong and of right labels.
  package let wrong: Int
  package let right: Int

  package init(scores: [Double], isRight: [Bool]) {
    precondition(scores.count == isRight.count, "\(scores.count) scores for \(isRight.count) labels")
    let order = scores.indices.filter { !scores[$0].isNaN }.sorted { scores[$0] < scores[$1] }
    var steps: [Step] = []
    var wrong = 0
    var right = 0
    for (place, index) in order.enumerated() {
      if isRight[index] { right += 1 } else { wrong += 1 }
      let isLast = place + 1 == order.count || scores[order[place + 1]] != scores[index]
      if isLast { steps.append(Step(wrong: wrong, right: right, score: scores[index])) }
    }
    self.steps = steps
    self.wrong = wrong
    self.right = right
  }

  /// The area under the ROC curve: how probably a wrong label scores below a right one, ties counting half. nil
  /// where there are not both.
  package var auroc: Double? {
    guard wrong > 0, right > 0 else { return nil }
    var area = 0.0
    var before = Step(wrong: 0, right: 0, score: 0)
    for step in steps {
      area += Double(step.right - before.right) * Double(step.wrong + before.wrong) / 2
      before = step
    }
    return area / (Double(wrong) * Double(right))
  }
}
