/// Delimited text by RFC 4180, with any one-byte delimiter, read as a stream of bytes.
///
/// Quoted fields may hold delimiters, line ends and doubled quotes; lines may end in LF or CRLF; a quote within an
/// unquoted field stands for itself. Empty lines are passed over, and so are comments before the table.
final class DelimitedReader: RecordReader {
  private struct Field {
    var start: Int
    var end: Int
    /// Whether doubled quotes in it stand for one.
    var doubled: Bool
  }

  private static let newline = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  private let window: ByteWindow
  private let delimiter: UInt8
  private let quote: UInt8
  /// Whether a blank behind a delimiter belongs to it.
  private let skipsBlanks: Bool
  /// Lines that were passed over before the table, one notice each.
  private(set) var notices: [String] = []
  private var fields: ContiguousArray<Field> = []
  private var nextLine = 1
  /// The first record was read to judge whether it is a header, and turned out not to be.
  private var holdsFirstRecord = false
  private(set) var columns: [String] = []
  private(set) var line = 0
  private(set) var fault: RecordFault?

  var path: String { window.path }

  /// Opens a file and reads its first record.
  ///
  /// - Parameters:
  ///   - delimiter: `nil` finds out; see `TextShape`.
  ///   - isHeader: judges the first record's fields. Without a header, columns are named by their number from 1.
  init(path: String, delimiter: UInt8?, isHeader: ([String]) throws -> Bool) throws {
    window = ByteWindow(try InputFile(path: path))
    try window.skipByteOrderMark()
    while window.end - window.start < 1 << 16, !window.atEnd { guard try window.fill() else { break } }
    let head = UnsafeBufferPointer(start: window.base + window.start, count: window.end - window.start)
    let guess = TextShape(head, delimiter: delimiter)
    self.delimiter = guess.delimiter
    quote = guess.quote
    skipsBlanks = guess.skipsBlanks
    nextLine = 1 + guess.skippedLines
    notices = guess.notices
    window.consume(to: window.start + guess.skippedBytes)
    guard try next() else { return }
    if let fault {
      throw DatasetProblems(DatasetProblem(file: path, line: line, what: fault.what, remedy: fault.remedy))
    }
    var first: [String] = []
    for column in fields.indices {
      do {
        first.append(try text(column) ?? "")
      } catch {
        throw DatasetProblems(DatasetProblem(file: path, line: line, what: error.what, remedy: error.remedy))
      }
    }
    if try isHeader(first) {
      columns = first.enumerated().map { number, name in
        let name = name.trimmedBlanks
        return name.isEmpty ? "column\(number + 1)" : name
      }
    } else {
      columns = first.indices.map { String($0 + 1) }
      holdsFirstRecord = true
    }
  }

  func next() throws -> Bool {
    if holdsFirstRecord {
      holdsFirstRecord = false
      return true
    }
    while true {
      line = nextLine
      fault = nil
      guard try scanRecord() else { return false }
      // An empty line is a single empty field; a quoted empty field is a record.
      if fields.count == 1, fault == nil, !fields[0].doubled, isBlank(fields[0]) { continue }
      if !columns.isEmpty, fields.count != columns.count, fault == nil {
        fault = RecordFault(
          what: "has \(fields.count) fields where there are \(columns.count) columns",
          remedy: "Quote fields that hold the delimiter, and write empty fields out")
      }
      return true
    }
  }

  func text(_ column: Int) throws(RecordFault) -> String? {
    guard column < fields.count else { return nil }
    let field = fields[column]
    guard field.start < field.end else { return nil }
    let bytes = UnsafeBufferPointer(start: window.base + field.start, count: field.end - field.start)
    let text = field.doubled ? unquoted(bytes) : String(validating: bytes, as: UTF8.self)
    guard let text else {
      throw RecordFault(what: "column \(column + 1) is not UTF-8 text", remedy: "Save the file as UTF-8")
    }
    return text
  }

  /// Whether a field is empty, or the end mark of old systems.
  private func isBlank(_ field: Field) -> Bool {
    (field.start..<field.end).allSatisfy { window.base[$0] == 0 || window.base[$0] == 0x1A }
  }

  private func unquoted(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
    var kept: [UInt8] = []
    kept.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      kept.append(bytes[index])
      index += bytes[index] == quote ? 2 : 1
    }
    return String(validating: kept, as: UTF8.self)
  }

  /// Finds the fields of the next record, reading on as long as its end is not in the window.
  private func scanRecord() throws -> Bool {
    while true {
      if window.start == window.end, window.atEnd { return false }
      if let (end, lines) = scan() {
        nextLine += lines
        window.consume(to: end)
        return true
      }
      guard try window.fill() else {
        throw DatasetProblems(
          DatasetProblem(
            file: path, line: line, what: "the record is longer than \(ByteWindow.longestRecord >> 20) MiB",
            remedy: "A quote that is opened here is probably never closed; double quotes within quoted fields"
          ))
      }
    }
  }

  /// Scans one record from the window's start.
  ///
  /// - Returns: where the next record starts, and how many line ends lie before it; `nil` if more bytes are needed.
  private func scan() -> (end: Int, lines: Int)? {
    fields.removeAll(keepingCapacity: true)
    fault = nil
    let base = window.base
    let end = window.end
    let atEnd = window.atEnd
    let delimiter = delimiter
    let quote = quote
    let skipsBlanks = skipsBlanks
    var position = window.start
    var lines = 0
    while true {
      if skipsBlanks, !fields.isEmpty {
        while position < end, base[position] == UInt8.space { position += 1 }
      }
      var stop = position
      if position < end, base[position] == quote {
        var doubled = false
        stop = position + 1
        while stop < end {
          let byte = base[stop]
          if byte == quote {
            guard stop + 1 < end else { break }
            guard base[stop + 1] == quote else { break }
            doubled = true
            stop += 2
            continue
          }
          if byte == Self.newline { lines += 1 }
          stop += 1
        }
        if stop + 1 >= end, !atEnd { return nil }
        if stop >= end {
          fault = RecordFault(
            what: "a quoted field is never closed",
            remedy: "Close it, or double the quotes within quoted fields")
          fields.append(Field(start: position + 1, end: end, doubled: doubled))
          return (end, lines)
        }
        // An empty quoted field counts as doubled, which tells it from an empty line.
        fields.append(Field(start: position + 1, end: stop, doubled: doubled || stop == position + 1))
        stop += 1
        let afterQuote = stop
        while stop < end, base[stop] != delimiter, base[stop] != Self.newline { stop += 1 }
        if stop == end, !atEnd { return nil }
        let extra = stop - afterQuote
        if extra > 1 || (extra == 1 && base[afterQuote] != Self.carriageReturn) {
          fault = RecordFault(
            what: "text follows a closing quote in column \(fields.count)",
            remedy: "Double the quotes within quoted fields")
        }
      } else {
        while stop < end, base[stop] != delimiter, base[stop] != Self.newline { stop += 1 }
        if stop == end, !atEnd { return nil }
        var fieldEnd = stop
        if stop == end || base[stop] == Self.newline, stop > position, base[stop - 1] == Self.carriageReturn {
          fieldEnd -= 1
        }
        fields.append(Field(start: position, end: fieldEnd, doubled: false))
      }
      if stop == end { return (end, lines) }
      if base[stop] == Self.newline { return (stop + 1, lines + 1) }
      position = stop + 1
    }
  }
}
