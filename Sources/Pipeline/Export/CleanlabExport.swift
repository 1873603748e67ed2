import Workspace

/// The table that users of cleanlab know, with Datalab's columns for label issues and each image's key.
package enum CleanlabExport {
  static let columns = [
    "key", "path", "is_label_issue", "label_score", "given_label", "predicted_label", "split",
  ]

  /// Writes one row per image, in the order of the import: CSV, TSV or JSON lines by the file's name.
  ///
  /// - Parameter path: nil or `-`: CSV to stdout.
  /// - Returns: How many rows were written.
  @discardableResult
  package static func write(_ workspace: Workspace, to path: String?) throws -> Int {
    let knownLabels = try KnownLabels(workspace)
    let syntax = TableOutput.Syntax(path: path)
    let table = try TableOutput(path, columns: columns, syntax: syntax)
    let names = knownLabels.classNames
    // As pandas reads them: True is a boolean in CSV, and JSON has its own.
    let (yes, no) = syntax == .jsonl ? ("true", "false") : ("True", "False")
    var rows = 0
    try workspace.forEachSample { sample in
      rows += 1
      let known = knownLabels[sample]
      try table.write([
        .text(sample.key), .text(sample.path), .number(known.isWrong == true ? yes : no),
        .float(known.probability), .text(names[sample.label]),
        .text(names[known.suggestion ?? sample.label]),
        .text(sample.split),
      ])
    }
    try table.finish()
    return rows
  }
}
