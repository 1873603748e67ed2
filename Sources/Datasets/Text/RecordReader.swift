/// Reads a table of texts record by record: delimited text, or JSON objects a line.
///
/// A reader keeps one record at a time. Fields are turned into strings only when they are asked for.
protocol RecordReader: AnyObject {
  var path: String { get }
  /// The names of the columns met so far. JSON lines may add some.
  var columns: [String] { get }
  /// The line on which the current record begins, from 1.
  var line: Int { get }
  /// The fault of the current record as a whole, if any.
  var fault: RecordFault? { get }

  /// Goes to the next record; `false` after the last.
  func next() throws -> Bool

  /// The text of a column in the current record; `nil` if it is empty or missing.
  /// - Throws: `RecordFault` if it is not UTF-8.
  func text(_ column: Int) throws(RecordFault) -> String?

  /// Whether the text of a column is that of a JSON object or list, rather than a string's.
  func isNested(_ column: Int) -> Bool

  /// Lines that were passed over before the table, one notice each.
  var notices: [String] { get }
}

extension RecordReader {
  func isNested(_ column: Int) -> Bool { false }
  var notices: [String] { [] }
}

/// The fault of one record.
struct RecordFault: Error {
  var what: String
  var remedy: String
}
