import Foundation

/// Sample weights as a table: CSV, TSV or JSON lines with a column `key` or `path` and a column `weight`.
package enum WeightTable {
  package struct Row: Sendable, Hashable {
    /// The sample's key, or its path where the table has no keys.
    package var key: String
    /// Finite and at least 0.
    package var weight: Float
    /// Counted from 1.
    package var line: Int
  }

  static let weightNames = ["weight", "sample_weight", "weight_soft", "weight_hard"]

  /// - Returns: The rows with a weight, in order; those without one are left out.
  /// - Throws: `DatasetProblems` that name the rows that are bad.
  package static func read(path: String) throws -> [Row] {
    let source = try DatasetSource(path: path)
    if let problem = source.refusal { throw DatasetProblems(problem) }
    let reader: any RecordReader =
      switch Manifest.syntax(source) {
      case .delimited(let delimiter):
        try DelimitedReader(path: source.contentPath, delimiter: delimiter) { _ in true }
      case .jsonLines: try JSONLinesReader(path: source.contentPath)
      case .json: try JSONDocumentReader(path: source.contentPath)
      }
    let names = reader.columns.map { $0.lowercased() }
    func column(_ known: [String]) -> Int? { known.lazy.compactMap { names.firstIndex(of: $0) }.first }
    guard let key = column(ManifestColumns.keyNames + ManifestColumns.pathNames),
      let weight = column(weightNames)
    else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, line: 1, what: "lacks a column `key` (or `path`) or a column `weight`",
          remedy: "Name them in the first row; its columns are: \(reader.columns.joined(separator: ", "))"))
    }
    let log = ProblemLog()
    var rows: [Row] = []
    while try reader.next() {
      if let fault = reader.fault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
        continue
      }
      do {
        guard let text = try reader.text(weight) else { continue }
        guard let name = try reader.text(key) else {
          throw RecordFault(what: "has no key", remedy: "Fill in the key of the image, or remove the row")
        }
        guard let value = Float(text), value.isFinite, value >= 0 else {
          throw RecordFault(what: "has the weight \"\(text)\"", remedy: "Give a number of at least 0")
        }
        rows.append(Row(key: name, weight: value, line: reader.line))
      } catch let fault as RecordFault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
      }
    }
    try log.throwIfAny()
    return rows
  }
}
