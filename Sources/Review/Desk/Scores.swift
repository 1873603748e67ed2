import Workspace

/// What scoring found last.
struct Scores: Sendable {
  let table: ScoreTable
  /// When it was found, as a number that grows with every scoring.
  let run: Int

  /// Nil if nothing was scored yet.
  init?(_ workspace: Workspace) throws {
    guard let run = try workspace.finishedRun(stage: "score"), let table = try workspace.scores(key: run.key)
    else { return nil }
    (self.table, self.run) = (table, run.id)
  }

  /// A sample's row; nil for one that was imported later or could not be judged.
  subscript(_ sample: Int) -> ScoreRow? {
    guard sample < table.count else { return nil }
    let row = table[sample]
    return row.probability.isFinite ? row : nil
  }

  /// The class that fits the image better than its label; nil if the label fits best.
  func suggestion(_ sample: Int, label: Int) -> Int? {
    guard let row = self[sample], row.suggestedLabel >= 0, row.suggestedLabel != label else { return nil }
    return Int(row.suggestedLabel)
  }

  /// How far the networks disagree on the image; 0 if it is not known.
  func disagreement(_ sample: Int) -> Double {
    self[sample].map { $0.disagreement.isFinite ? Double($0.disagreement) : 0 } ?? 0
  }

  /// How likely the decision on the label is mistaken, by the probability.
  func doubt(_ sample: Int) -> Double? {
    self[sample].map { Double(min($0.probability, 1 - $0.probability)) }
  }
}
