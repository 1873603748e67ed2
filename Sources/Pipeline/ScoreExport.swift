import Foundation
import Workspace

/// The table of scores for other programs.
package enum ScoreExport {
  static let columns = [
    "key", "path", "label", "cosine", "probability", "threshold", "verdict", "weight_soft", "weight_hard",
    "suggested_label", "suggested_cosine", "verification", "split",
  ]

  package enum Format: String, Sendable, CaseIterable {
    case csv, tsv, jsonl
  }

  /// Writes one row per sample, in the order of the import.
  ///
  /// - Parameter path: nil or `-`: stdout.
  /// - Returns: How many rows were written.
  @discardableResult
  package static func write(_ workspace: Workspace, format: Format?, to path: String?) throws -> Int {
    guard let run = try workspace.finishedRun(stage: "score"), let scores = try workspace.scores(key: run.key)
    else {
      throw PipelineError(.missingInput, "There are no scores yet", remedy: "Run: cleannet score")
    }
    let classes = try workspace.classNames()
    let verdicts = Dictionary(
      uniqueKeysWithValues: try workspace.verifications().map { ($0.sample, $0.isRight) })
    let table = try TableOutput(
      path, columns: columns, syntax: format.flatMap { TableOutput.Syntax(rawValue: $0.rawValue) })
    var rows = 0
    try workspace.forEachSample { sample in
      rows += 1
      let verification: TableOutput.Cell =
        verdicts[sample.id].map { .number($0 ? "1" : "0") } ?? .empty
      let identity: [TableOutput.Cell] = [
        .text(sample.key), .text(sample.path), .text(classes[sample.label]),
      ]
      guard sample.id < scores.count else {
        // Imported after scoring.
        return try table.write(
          identity + Array(repeating: .empty, count: 8) + [verification, .text(sample.split)])
      }
      let row = scores[sample.id]
      let suggested = Int(row.suggestedLabel)
      try table.write(
        identity + [
          .float(row.cosine), .float(row.probability), .float(row.threshold), verdict(row.verdict),
          .float(row.softWeight), .float(row.hardWeight),
          suggested >= 0 ? .text(classes[suggested]) : .empty, .float(row.suggestedCosine), verification,
          .text(sample.split),
        ])
    }
    try table.finish()
    return rows
  }

  private static func verdict(_ verdict: ScoreRow.Verdict) -> TableOutput.Cell {
    switch verdict {
    case .right: .text("right")
    case .wrong: .text("wrong")
    case .unknown: .empty
    }
  }
}
