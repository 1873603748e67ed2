/// A sliding window over a file: records are parsed where they lie, and the window grows only for a record that is
/// longer than it.
final class ByteWindow {
  /// The longest record that is read. Beyond it, something such as a missing quote is wrong.
  static let longestRecord = 16 << 20

  private let file: TextInput
  private(set) var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  /// Where the bytes not yet consumed begin and end, as offsets from `base`.
  private(set) var start = 0
  private(set) var end = 0
  private(set) var atEnd = false

  init(_ file: InputFile, capacity: Int = 1 << 18) {
    self.file = TextInput(file)
    self.capacity = capacity
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  var path: String { file.path }

  func consume(to offset: Int) {
    start = offset
  }

  /// Reads on. Places in `start` and `end` have moved afterwards.
  ///
  /// - Returns: `false` if the record would be longer than `longestRecord`.
  func fill() throws(DatasetProblems) -> Bool {
    let kept = end - start
    if start > 0 {
      base.update(from: base + start, count: kept)
      start = 0
      end = kept
    }
    if end == capacity {
      guard capacity < Self.longestRecord else { return false }
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2)
      larger.update(from: base, count: end)
      base.deallocate()
      base = larger
      capacity *= 2
    }
    let got = try file.read(into: base + end, count: capacity - end)
    end += got
    if got == 0 { atEnd = true }
    return true
  }

  /// Passes over a UTF-8 byte order mark.
  func skipByteOrderMark() throws(DatasetProblems) {
    while end - start < 3, !atEnd { _ = try fill() }
    guard end - start >= 3 else { return }
    if base[start] == 0xEF, base[start + 1] == 0xBB, base[start + 2] == 0xBF { start += 3 }
  }

  /// Takes the next line, without its line feed, as offsets from `base`; `nil` after the last.
  ///
  /// - Parameters:
  ///   - number: Of the line, for messages.
  ///   - remedy: For a line that is too long.
  func nextLine(number: Int, remedy: String) throws(DatasetProblems) -> (start: Int, end: Int)? {
    var scanned = 0
    while true {
      var position = start + scanned
      while position < end, base[position] != UInt8(ascii: "\n") { position += 1 }
      if position < end {
        let lineStart = start
        consume(to: position + 1)
        return (lineStart, position)
      }
      if atEnd {
        guard start < end else { return nil }
        let lineStart = start
        consume(to: end)
        return (lineStart, end)
      }
      scanned = end - start
      guard try fill() else {
        throw DatasetProblems(
          DatasetProblem(
            file: path, line: number, what: "the line is longer than \(Self.longestRecord >> 20) MiB",
            remedy: remedy))
      }
    }
  }
}
