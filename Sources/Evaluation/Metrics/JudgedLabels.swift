import Detectors

/// What a detector says of images whose truth is known: the input of all metrics.
///
/// Everywhere in `Evaluation` a *wrong* label is what is looked for (the positive class), and a lower score means that
/// the label is more likely wrong.
public struct JudgedLabels: Sendable {
  /// Per image its score; never NaN.
  public let scores: [Double]
  /// Per image whether its label is right.
  public let isRight: [Bool]
  /// Per image the class of its noisy label.
  public let labels: [Int]
  /// Per image the decision, true for "right".
  public let decisions: [Bool]

  public init(scores: [Double], isRight: [Bool], labels: [Int], decisions: [Bool]) {
    precondition(
      isRight.count == scores.count && labels.count == scores.count && decisions.count == scores.count,
      "scores, truth, labels and decisions are of different length")
    precondition(!scores.contains { $0.isNaN }, "a judged label has no score")
    self.scores = scores
    self.isRight = isRight
    self.labels = labels
    self.decisions = decisions
  }

  /// What `detection` says of `images`, decided by the method's own rule or at `threshold`.
  ///
  /// Images without a score or without known truth are left out.
  ///
  /// - Parameter truth: Per image of the data set whether its label is right; nil where nobody knows.
  public init(
    _ detection: Detection, threshold: Double?, labels: [Int], truth: [Bool?], images: some Sequence<Int>
  ) {
    let decided = detection.decisions(threshold: threshold)
    var (scores, isRight, own, decisions) = ([Double](), [Bool](), [Int](), [Bool]())
    for image in images {
      guard let decision = decided[image], let right = truth[image] else { continue }
      scores.append(Double(detection.scores[image]))
      isRight.append(right)
      own.append(labels[image])
      decisions.append(decision)
    }
    self.init(scores: scores, isRight: isRight, labels: own, decisions: decisions)
  }

  public var count: Int { scores.count }

  /// The number of images whose label is wrong.
  public var wrong: Int { isRight.count { !$0 } }

  /// The images with one label.
  public func ofClass(_ label: Int) -> JudgedLabels {
    selecting(labels.indices.filter { labels[$0] == label })
  }

  /// The classes that occur, ascending.
  public var classes: [Int] { Set(labels).sorted() }

  /// The images at some places, in that order; places may repeat.
  func selecting(_ places: [Int]) -> JudgedLabels {
    JudgedLabels(
      scores: places.map { scores[$0] }, isRight: places.map { isRight[$0] },
      labels: places.map { labels[$0] },
      decisions: places.map { decisions[$0] })
  }
}
