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
    let table = try KeyedTable(path: path, values: weightNames, called: "weight")
    var rows: [Row] = []
    _ = try table.read { key, text in
      guard let value = Float(text), value.isFinite, value >= 0 else {
        throw RecordFault(what: "has the weight \"\(text)\"", remedy: "Give a number of at least 0")
      }
      rows.append(Row(key: key, weight: value, line: table.reader.line))
    }
    return rows
  }
}
