/// Reads the lines of a text file one at a time, without their ends (LF or CRLF); blank lines are passed over.
final class LineReader {
  private let window: ByteWindow
  private let log: ProblemLog
  /// The number of the line that `next` returned, from 1.
  private(set) var line = 0

  var path: String { window.path }

  init(path: String, log: ProblemLog) throws(DatasetProblems) {
    window = ByteWindow(try InputFile(path: path))
    self.log = log
    try window.skipByteOrderMark()
  }

  /// The next line; `nil` after the last. Lines that are not UTF-8 go to the log.
  func next() throws(DatasetProblems) -> String? {
    while let (start, end) = try window.nextLine(
      number: line + 1, remedy: "The file should hold one short entry per line")
    {
      line += 1
      var bytes = UnsafeBufferPointer(start: window.base + start, count: end - start)
      if bytes.last == UInt8(ascii: "\r") { bytes = UnsafeBufferPointer(rebasing: bytes.dropLast()) }
      if bytes.allSatisfy({ $0 <= UInt8(ascii: " ") }) { continue }
      guard let text = String(validating: bytes, as: UTF8.self) else {
        log.add(path, line: line, "is not UTF-8 text", "Save the file as UTF-8 (iconv -t UTF-8)")
        continue
      }
      return text
    }
    return nil
  }

  /// All lines of a short file, such as a list of classes.
  static func all(path: String, log: ProblemLog) throws(DatasetProblems) -> [String] {
    let reader = try LineReader(path: path, log: log)
    var lines: [String] = []
    while let line = try reader.next() { lines.append(line) }
    return lines
  }

  /// The lines of a file of unique names, such as one of classes.
  static func names(path: String, log: ProblemLog) throws(DatasetProblems) -> [String] {
    let reader = try LineReader(path: path, log: log)
    var names: [String] = []
    var lines: [String: Int] = [:]
    while let name = try reader.next() {
      if let earlier = lines.updateValue(reader.line, forKey: name) {
        log.add(
          path, line: reader.line, "names \"\(name)\" again, as on line \(earlier)",
          "Names must differ; remove or rename one")
      }
      names.append(name)
    }
    return names
  }
}

// Bytes, not characters: a combining mark after a delimiter would hide it from Swift's characters.
extension String {
  /// The text before and after the first such byte.
  func parted(atFirst byte: UInt8) -> (before: String, after: String)? {
    utf8.firstIndex(of: byte).map { (String(self[..<$0]), String(self[utf8.index(after: $0)...])) }
  }

  /// The text before and after the last such byte.
  func parted(atLast byte: UInt8) -> (before: String, after: String)? {
    utf8.lastIndex(of: byte).map { (String(self[..<$0]), String(self[utf8.index(after: $0)...])) }
  }

  /// The fields between such bytes.
  func fields(at byte: UInt8) -> [String] {
    utf8.split(separator: byte, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Compared byte by byte: names that Unicode calls equal are two files.
  func startsExactly(with prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
}

extension UInt8 {
  static let slash = UInt8(ascii: "/")
  static let tab = UInt8(ascii: "\t")
  static let space = UInt8(ascii: " ")
}
