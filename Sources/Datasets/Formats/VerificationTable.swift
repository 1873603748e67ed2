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
    /// The person, if the table has one.
    package var person: String?
    /// Counted from 1; 0 where rows are no lines.
    package var line: Int
    /// Why the image was looked at, the name of the class that is right, and when; nil where the table does not say.
    package var selection: String?
    package var correction: String?
    /// A further remark about the image.
    package var remark: String?
    package var time: Date?

    init(key: String, isRight: Bool?, label: String? = nil, person: String? = nil, line: Int) {
      self.key = key
      self.isRight = isRight
      self.label = label
      self.person = person
      self.line = line
    }

    /// Other names of the sample: keys of Food-101N begin with the class, which others leave out.
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
    let table = try KeyedTable(path: path, values: ManifestColumns.verificationNames, called: "verification")
    let label = table.column(ManifestColumns.labelNames)
    let person = table.column(personNames)
    let selection = table.column(["selection"])
    let correction = table.column(["correction"])
    let remark = table.column(["remark"])
    let time = table.column(["time"])
    var unknown = 0
    let empty = try table.read { key, text in
      let isRight: Bool?
      switch VerdictText(text) {
      case .unsure: isRight = nil
      case .right, .wrong, .other: isRight = try ManifestTable.verification(text)
      case .none:
        unknown += 1
        return
      }
      var row = Row(
        key: key, isRight: isRight, label: try table.text(label), person: try table.text(person),
        line: table.reader.line)
      row.selection = try table.text(selection)
      row.correction = try table.text(correction)
      row.remark = try table.text(remark)
      row.time = try table.text(time).map(Self.time)
      try each(row)
    }
    return empty + unknown
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
