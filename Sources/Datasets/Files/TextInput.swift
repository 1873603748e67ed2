/// The text of a file as UTF-8 with line feeds, whatever it is kept as. UTF-16 of either order, with or without a mark,
/// is converted while it is read. So are the lines of old Macs, which end in carriage returns alone.
final class TextInput {
  private enum Kind {
    case plain
    case wide(bigEndian: Bool)
    case carriageReturns
  }

  private static let chunk = 1 << 16

  private let file: InputFile
  private var kind: Kind?
  /// Bytes that were read and not passed on yet.
  private var pending: [UInt8] = []
  private var taken = 0
  /// The first half of a UTF-16 character that is not complete yet.
  private var rest: [UInt8] = []
  private var atEnd = false

  var path: String { file.path }

  init(_ file: InputFile) { self.file = file }

  /// Reads at most `count` bytes; 0 at the end.
  func read(into pointer: UnsafeMutablePointer<UInt8>, count: Int) throws(DatasetProblems) -> Int {
    if kind == nil { try begin() }
    if taken == pending.count, case .plain? = kind { return try file.read(into: pointer, count: count) }
    while taken == pending.count, !atEnd { try refill() }
    let given = min(count, pending.count - taken)
    pending.withUnsafeBufferPointer { bytes in
      guard given > 0, let base = bytes.baseAddress else { return }
      pointer.update(from: base + taken, count: given)
    }
    taken += given
    return given
  }

  /// Reads the first bytes and judges them.
  private func begin() throws(DatasetProblems) {
    var head: [UInt8] = []
    while head.count < Self.chunk {
      let more = try raw(Self.chunk - head.count)
      if more.isEmpty { break }
      head += more
    }
    if head.starts(with: [0xFF, 0xFE, 0, 0]) || head.starts(with: [0, 0, 0xFE, 0xFF]) {
      throw DatasetProblems(
        DatasetProblem(
          file: file.path, what: "is text in UTF-32", remedy: "Save it as UTF-8: iconv -f UTF-32 -t UTF-8"))
    }
    kind = Self.kind(head)
    pending = turned(head)
  }

  private static func kind(_ head: [UInt8]) -> Kind {
    if head.starts(with: [0xFF, 0xFE]) { return .wide(bigEndian: false) }
    if head.starts(with: [0xFE, 0xFF]) { return .wide(bigEndian: true) }
    // Without a mark: of plain letters every second byte is zero.
    // Line ends and delimiters are such letters in any language, so that whole characters tell where most are others.
    let sample = head.prefix(4096)
    if sample.count >= 8, sample.contains(0) {
      let zeros = (0...1).map { parity in
        sample.indices.count { $0 % 2 == parity && sample[$0] == 0 }
      }
      let marks = Set("\n\r,;\t|\"".utf8)
      let whole = (0...1).map { parity in
        stride(from: 0, to: sample.count - 1, by: 2).count {
          sample[$0 + 1 - parity] == 0 && marks.contains(sample[$0 + parity])
        }
      }
      let most = sample.count / 2 * 7 / 10
      if zeros[1] > most || whole[0] > 1, zeros[0] == 0 { return .wide(bigEndian: false) }
      if zeros[0] > most || whole[1] > 1, zeros[1] == 0 { return .wide(bigEndian: true) }
    }
    return head.contains(UInt8(ascii: "\r")) && !head.contains(UInt8(ascii: "\n")) ? .carriageReturns : .plain
  }

  private func refill() throws(DatasetProblems) {
    let more = try raw(Self.chunk)
    if more.isEmpty {
      atEnd = true
      // Half a character at the end is no text; the reader above says so.
      pending = rest.isEmpty ? [] : [0xFF]
      rest = []
    } else {
      pending = turned(more)
    }
    taken = 0
  }

  private func raw(_ count: Int) throws(DatasetProblems) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = try bytes.withUnsafeMutableBufferPointer { buffer throws(DatasetProblems) -> Int in
      guard let base = buffer.baseAddress else { return 0 }
      return try file.read(into: base, count: count)
    }
    return Array(bytes.prefix(got))
  }

  private func turned(_ bytes: [UInt8]) -> [UInt8] {
    switch kind {
    case .plain, nil: return bytes
    case .carriageReturns: return bytes.map { $0 == UInt8(ascii: "\r") ? UInt8(ascii: "\n") : $0 }
    case .wide(let bigEndian):
      let all = rest + bytes
      var units: [UInt16] = []
      units.reserveCapacity(all.count / 2)
      for place in stride(from: 0, to: all.count - 1, by: 2) {
        let first = UInt16(all[place])
        let second = UInt16(all[place + 1])
        units.append(bigEndian ? first << 8 | second : second << 8 | first)
      }
      var whole = units.count
      // The second half of a pair may be in the next bytes.
      if let last = units.last, UTF16.isLeadSurrogate(last) { whole -= 1 }
      rest = Array(all[(2 * whole)...])
      if units.first == 0xFEFF {
        return Array(String(decoding: units[1..<max(1, whole)], as: UTF16.self).utf8)
      }
      return Array(String(decoding: units[..<whole], as: UTF16.self).utf8)
    }
  }
}
