import Workspace

/// The current judgements of all labels: the last ones of `score`, updated by the verdicts since.
struct Scores: Sendable {
  private enum Rows: Sendable {
    case kept(ScoreTable)
    case fresh([ScoreRow])
  }

  private let rows: Rows
  /// Whether it follows from all verdicts that there were a moment ago, without another training.
  var isLive: Bool { if case .fresh = rows { true } else { false } }

  init(fresh rows: [ScoreRow]) { self.rows = .fresh(rows) }

  /// Nil if nothing was scored yet.
  init?(_ workspace: Workspace) throws {
    guard let run = try workspace.finishedRun(stage: "score"), let table = try workspace.scores(key: run.key)
    else { return nil }
    rows = .kept(table)
  }

  /// A sample's row; nil for one that was imported later or could not be judged.
  subscript(_ sample: Int) -> ScoreRow? {
    let row: ScoreRow
    switch rows {
    case .kept(let table):
      guard sample < table.count else { return nil }
      row = table[sample]
    case .fresh(let rows):
      guard sample < rows.count else { return nil }
      row = rows[sample]
    }
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
