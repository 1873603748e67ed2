import Foundation

/// Verification labels as a table: CSV, TSV or JSON lines with a column `key` or `path` and a column `verification`
/// (1 right, 0 wrong, `unsure` looked at, empty unknown). A column `label` says which label was judged; `selection`,
/// `person`, `correction` (the right class), `remark` (`none` of the classes, `several`, `bad`, `exclude`) and `time` (ISO
/// 8601) say how the verdict came about.
package enum VerificationTable {
  package struct Row: Sendable, Hashable {
    /// The sample's key, or its path where the table has no keys.
    package var key: String
    /// Nil: somebody looked and could not tell.
    package var isRight: Bool?
    /// The label that was judged, if the table says so.
    package var label: String?
    /// Who said so, if the table says.
    package var person: String?
    /// Counted from 1; 0 where rows are no lines.
    package var line: Int
    /// Why the image was looked at, the name of the class that is right, and when; nil where the table does not say.
    package var selection: String?
    package var correction: String?
    /// What else was said of the image.
    package var remark: String?
    package var time: Date?

    init(key: String, isRight: Bool?, label: String? = nil, person: String? = nil, line: Int) {
      self.key = key
      self.isRight = isRight
      self.label = label
      self.person = person
      self.line = line
    }

    /// What else the sample may be called: keys of Food-101N begin with the class, which others leave out.
    package var otherKeys: [String] {
      ["images/" + key] + (key.parted(atFirst: .slash).map { [$0.after] } ?? [])
    }
  }

  /// Names by which a column is taken for who judged; compared without case.
  private static let personNames = [
    "person", "annotator", "reviewer", "annotated_by", "completed_by", "worker",
  ]

  /// Passes every row with a verdict to `each`; the others are skipped.
  ///
  /// - Returns: How many rows have none.
  /// - Throws: `DatasetProblems` at the end if rows are bad; what `each` throws, at once.
  @discardableResult
  package static func read(path: String, _ each: (Row) throws -> Void) throws -> Int {
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
      let verdict = column(ManifestColumns.verificationNames)
    else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, line: 1, what: "lacks a column `key` (or `path`) or a column `verification`",
          remedy: "Name them in the first row; its columns are: \(reader.columns.joined(separator: ", "))"))
    }
    let label = column(ManifestColumns.labelNames)
    let person = column(personNames)
    let selection = column(["selection"])
    let correction = column(["correction"])
    let remark = column(["remark"])
    let time = column(["time"])
    let log = ProblemLog()
    var unknown = 0
    while try reader.next() {
      if let fault = reader.fault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
        continue
      }
      do {
        guard let text = try reader.text(verdict) else {
          unknown += 1
          continue
        }
        guard let name = try reader.text(key) else {
          throw RecordFault(what: "has no key", remedy: "Fill in the key of the image, or remove the row")
        }
        let isRight: Bool?
        switch VerdictText(text) {
        case .unsure: isRight = nil
        case .right, .wrong, .other: isRight = try ManifestTable.verification(text)
        case .none:
          unknown += 1
          continue
        }
        var row = Row(
          key: name, isRight: isRight, label: try label.flatMap { try reader.text($0) },
          person: try person.flatMap { try reader.text($0) }, line: reader.line)
        row.selection = try selection.flatMap { try reader.text($0) }
        row.correction = try correction.flatMap { try reader.text($0) }
        row.remark = try remark.flatMap { try reader.text($0) }
        row.time = try time.flatMap { try reader.text($0) }.map(Self.time)
        try each(row)
      } catch let fault as RecordFault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
      }
    }
    try log.throwIfAny()
    return unknown
  }

  private static func time(_ text: String) throws(RecordFault) -> Date {
    let precise = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let time = (try? Date(text, strategy: precise)) ?? (try? Date(text, strategy: .iso8601)) else {
      throw RecordFault(
        what: "has the time \(text.debugDescription)", remedy: "Write times as 2026-01-31T12:00:00Z")
    }
    return time
  }
}
