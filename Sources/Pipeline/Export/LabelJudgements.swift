import Workspace

/// What is known of each label: what a person said, else what scoring found.
struct LabelJudgements {
  /// What is known of one sample's label.
  struct Judgement {
    /// Nil: neither verified nor scored.
    var isWrong: Bool?
    /// That the label is right, as scored; NaN where it was not.
    var probability: Float
    var softWeight: Float
    var hardWeight: Float
    /// The class that fits best, if that is another one.
    var suggestion: Int?
  }

  let classNames: [String]
  private let scores: ScoreTable
  private let verdicts: [Int: Bool]

  /// - Throws: `PipelineError` if nothing was scored yet.
  init(_ workspace: Workspace) throws {
    guard let run = try workspace.finishedRun(stage: "score"), let scores = try workspace.scores(key: run.key)
    else {
      throw PipelineError(.missingInput, "There are no scores yet", remedy: "Run: cleannet score")
    }
    self.scores = scores
    classNames = try workspace.classNames()
    verdicts = Dictionary(
      uniqueKeysWithValues: try workspace.verifications().map { ($0.sample, $0.isRight) })
  }

  subscript(_ sample: StoredSample) -> Judgement {
    let known = verdicts[sample.id]
    let weight = known.map { $0 ? Float(1) : 0 }
    guard sample.id < scores.count else {
      // Imported after scoring.
      return Judgement(
        isWrong: known.map { !$0 }, probability: .nan, softWeight: weight ?? .nan, hardWeight: weight ?? .nan)
    }
    let row = scores[sample.id]
    let scored: Bool? = row.verdict == .unknown ? nil : row.verdict == .wrong
    let suggested = Int(row.suggestedLabel)
    return Judgement(
      isWrong: known.map { !$0 } ?? scored, probability: row.probability,
      softWeight: weight ?? row.softWeight,
      hardWeight: weight ?? row.hardWeight,
      suggestion: suggested >= 0 && suggested != sample.label ? suggested : nil)
  }

  /// What a person said of the label.
  func verdict(_ sample: StoredSample) -> Bool? { verdicts[sample.id] }
}
