import Files

/// One JSON object per line. Strings are unescaped, numbers and booleans kept as written, `null` is empty, and nested
/// values stay JSON text.
final class JSONLinesReader: RecordReader {
  private let window: ByteWindow
  private var nextLine = 1
  /// The text of each column in the current record.
  private var values: [String?] = []
  private var nested: [Bool] = []
  private var columnIndex: [String: Int] = [:]
  private var holdsFirstRecord = false
  private(set) var columns: [String] = []
  private(set) var line = 0
  private(set) var fault: RecordFault?

  var path: String { window.path }

  /// Opens a file and reads its first record, whose names are the first columns.
  init(path: String) throws {
    window = ByteWindow(try InputFile(path: path))
    try window.skipByteOrderMark()
    holdsFirstRecord = try next()
    if let fault {
      throw DatasetProblems(DatasetProblem(file: path, line: line, what: fault.what, remedy: fault.remedy))
    }
  }

  func next() throws -> Bool {
    if holdsFirstRecord {
      holdsFirstRecord = false
      return true
    }
    while let (start, end) = try window.nextLine(
      number: nextLine, remedy: "Write one object per line; a JSON array is not JSON lines")
    {
      line = nextLine
      nextLine += 1
      let bytes = UnsafeBufferPointer(start: window.base + start, count: end - start)
      if bytes.allSatisfy({ $0 <= UInt8(ascii: " ") }) { continue }
      parse(bytes)
      return true
    }
    return false
  }

  func text(_ column: Int) throws(RecordFault) -> String? {
    column < values.count ? values[column] : nil
  }

  func isNested(_ column: Int) -> Bool { column < nested.count && nested[column] }

  private func parse(_ bytes: UnsafeBufferPointer<UInt8>) {
    fault = nil
    for index in values.indices { values[index] = nil }
    var scanner = JSONScanner(bytes)
    // Records mostly repeat the columns in order, so the next column is tried before the dictionary.
    var expected = 0
    do throws(JSONScanner.Fault) {
      try scanner.object { (name, scanner) throws(JSONScanner.Fault) in
        let column: Int
        if expected < columns.count, columns[expected] == name {
          column = expected
        } else if let known = columnIndex[name] {
          column = known
        } else {
          column = columns.count
          columns.append(name)
          columnIndex[name] = column
          values.append(nil)
          nested.append(false)
        }
        expected = column + 1
        nested[column] = scanner.isNext("{") || scanner.isNext("[")
        let value = try scanner.valueText()
        values[column] = value?.isEmpty == true ? nil : value
      }
    } catch {
      fault = RecordFault(
        what: "is not a JSON object: \(error.what) at byte \(error.offset + 1)",
        remedy: "Write one complete object per line, as UTF-8")
    }
  }
}
