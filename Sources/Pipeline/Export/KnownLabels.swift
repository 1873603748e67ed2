import Workspace

/// The best knowledge of each label: a person's verdict, else the result of scoring.
struct KnownLabels {
  let classNames: [String]
  private let scores: ScoreTable?
  private let answers: [Int: CurrentAnswer]

  /// - Parameter needsScores: Whether what people said is not enough.
  /// - Throws: `PipelineError` if nothing was scored yet, and scores are needed.
  init(_ workspace: Workspace, needsScores: Bool = true) throws {
    scores = try workspace.finishedRun(stage: "score").flatMap { try workspace.scores(key: $0.key) }
    if needsScores, scores == nil {
      throw PipelineError(
        .missingInput, "There are no scores yet",
        remedy: "Run: cleannet score; or export a data set with --wrong keep, which needs none")
    }
    classNames = try workspace.classNames()
    answers = Dictionary(uniqueKeysWithValues: try workspace.currentAnswers().map { ($0.sample, $0) })
  }

  subscript(_ sample: StoredSample) -> KnownLabel {
    let answer = answers[sample.id]
    let isLeftOut = answer?.remark?.leavesOut == true
    let known = isLeftOut ? false : answer?.answer.isRight
    let correction = answer?.correction
    let weight = known.map { $0 ? Float(1) : 0 }
    guard let scores, sample.id < scores.count else {
      // Imported after scoring, or nothing was scored.
      return KnownLabel(
        isWrong: known.map { !$0 }, probability: .nan, softWeight: weight ?? .nan, hardWeight: weight ?? .nan,
        isLeftOut: isLeftOut, suggestion: correction)
    }
    let row = scores[sample.id]
    let scored: Bool? = row.verdict == .unknown ? nil : row.verdict == .wrong
    let suggested = Int(row.suggestedLabel)
    return KnownLabel(
      isWrong: known.map { !$0 } ?? scored, probability: row.probability,
      softWeight: weight ?? row.softWeight,
      hardWeight: weight ?? row.hardWeight,
      isLeftOut: isLeftOut,
      suggestion: answer?.remark == .noClass || isLeftOut
        ? nil : correction ?? (suggested >= 0 && suggested != sample.label ? suggested : nil))
  }

  /// The verdict on the label of a person who looked.
  func verdict(_ sample: StoredSample) -> Bool? {
    guard let answer = answers[sample.id], answer.origin != .accepted else { return nil }
    return answer.answer.isRight
  }

  /// Whether a person who looked said which class is right.
  func isCorrected(_ sample: StoredSample) -> Bool {
    guard let answer = answers[sample.id] else { return false }
    return answer.correction != nil && answer.origin != .accepted
  }
}

/// The best knowledge of one sample's label.
struct KnownLabel {
  /// Nil: neither verified nor scored.
  var isWrong: Bool?
  /// That the label is right, as scored; NaN where it was not.
  var probability: Float
  var softWeight: Float
  var hardWeight: Float
  /// Whether a person says that the image is no use.
  var isLeftOut = false
  /// The class that a person says is right, else the one that fits best, if that is another one.
  var suggestion: Int?
}
