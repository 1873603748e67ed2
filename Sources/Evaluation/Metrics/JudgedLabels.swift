import Detectors

/// A detector's results for images whose truth is known: the input of all metrics.
///
/// Everywhere in `Evaluation` a *wrong* label is what is looked for (the positive class), and a lower score means that
/// the label is more likely wrong.
package struct JudgedLabels: Sendable {
  /// Per image its score; never NaN.
  package let scores: [Double]
  /// Per image whether its label is right.
  package let isRight: [Bool]
  /// Per image the class of its noisy label.
  package let labels: [Int]
  /// Per image the decision, true for "right".
  package let decisions: [Bool]

  package init(scores: [Double], isRight: [Bool], labels: [Int], decisions: [Bool]) {
    precondition(
      isRight.count == scores.count && labels.count == scores.count && decisions.count == scores.count,
      "scores, truth, labels and decisions have different lengths")
    precondition(!scores.contains { $0.isNaN }, "a judged label has no score")
    self.scores = scores
    self.isRight = isRight
    self.labels = labels
    self.decisions = decisions
  }

  /// The results of `detection` for `images`, decided by the method's own rule or at `threshold`.
  ///
  /// Images without a score or without known truth are left out.
  ///
  /// - Parameter truth: Per image of the data set whether its label is right; nil where nobody knows.
  package init(
    _ detection: Detection, threshold: Double?, labels: [Int], truth: [Bool?], images: some Sequence<Int>
  ) {
    let decided = detection.decisions(threshold: threshold)
    var scores = [Double]()
    var isRight = [Bool]()
    var own = [Int]()
    var decisions = [Bool]()
    for image in images {
      guard let decision = decided[image], let right = truth[image] else { continue }
      scores.append(Double(detection.scores[image]))
      isRight.append(right)
      own.append(labels[image])
      decisions.append(decision)
    }
    self.init(scores: scores, isRight: isRight, labels: own, decisions: decisions)
  }

  package var count: Int { scores.count }

  /// The number of images whose label is wrong.
  package var wrong: Int { isRight.count { !$0 } }

  /// The images with one label.
  package func ofClass(_ label: Int) -> JudgedLabels {
    selecting(labels.indices.filter { labels[$0] == label })
  }

  /// The classes that occur, ascending.
  package var classes: [Int] { Set(labels).sorted() }

  /// The images at some places, in that order; places may repeat.
  func selecting(_ places: [Int]) -> JudgedLabels {
    JudgedLabels(
      scores: places.map { scores[$0] }, isRight: places.map { isRight[$0] },
      labels: places.map { labels[$0] },
      decisions: places.map { decisions[$0] })
  }
}
