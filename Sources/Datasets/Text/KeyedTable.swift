/// A table that says something about samples: one row per sample, which a column `key` or `path` names, and a column with the
/// value. CSV, TSV, JSON or JSON lines.
struct KeyedTable {
  /// The row that is read.
  let reader: any RecordReader
  private let path: String
  private let names: [String]
  private let key: Int
  private let value: Int

  /// - Parameters:
  ///   - values: Names by which the column with the value is known.
  ///   - name: How messages call it.
  /// - Throws: `DatasetProblems` if the file is no table, or lacks a column.
  init(path: String, values: [String], called name: String) throws {
    let source = try DatasetSource(path: path)
    if let problem = source.refusal { throw DatasetProblems(problem) }
    reader =
      switch Manifest.syntax(source) {
      case .delimited(let delimiter):
        try DelimitedReader(path: source.contentPath, delimiter: delimiter) { _ in true }
      case .jsonLines: try JSONLinesReader(path: source.contentPath)
      case .json: try JSONDocumentReader(path: source.contentPath)
      }
    self.path = path
    names = reader.columns.map { $0.lowercased() }
    guard let key = Self.column(ManifestColumns.keyNames + ManifestColumns.pathNames, of: names),
      let value = Self.column(values, of: names)
    else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, line: 1, what: "lacks a column `key` (or `path`) or a column `\(name)`",
          remedy: "Name them in the first row; its columns are: \(reader.columns.joined(separator: ", "))"))
    }
    self.key = key
    self.value = value
  }

  private static func column(_ known: [String], of names: [String]) -> Int? {
    known.lazy.compactMap { names.firstIndex(of: $0) }.first
  }

  /// A further column by the first of its names that the table has.
  func column(_ known: [String]) -> Int? { Self.column(known, of: names) }

  /// The text of a further column in the row that is read; nil where it is empty or not there.
  func text(_ column: Int?) throws -> String? { try column.flatMap { try reader.text($0) } }

  /// Passes each row with a value on. A `RecordFault` that `each` throws is a bad row.
  ///
  /// - Returns: How many rows have no value.
  /// - Throws: `DatasetProblems` at the end if rows are bad; what `each` throws otherwise, at once.
  func read(_ each: (_ key: String, _ value: String) throws -> Void) throws -> Int {
    let log = ProblemLog()
    var empty = 0
    while try reader.next() {
      if let fault = reader.fault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
        continue
      }
      do {
        guard let text = try reader.text(value) else {
          empty += 1
          continue
        }
        guard let name = try reader.text(key) else {
          throw RecordFault(what: "has no key", remedy: "Fill in the key of the image, or remove the row")
        }
        try each(name, text)
      } catch let fault as RecordFault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
      }
    }
    try log.throwIfAny()
    return empty
  }
}
