/// How a delimited text is written, told from its first lines: what parts and quotes fields, and where the table begins.
struct TextShape {
  private(set) var delimiter: UInt8
  private(set) var quote = UInt8(ascii: "\"")
  /// Whether a blank stands behind each delimiter.
  private(set) var skipsBlanks = false
  /// The length of the lines before the table: a line `sep=;` of a spreadsheet, comments.
  private(set) var skippedBytes = 0
  private(set) var skippedLines = 0
  private(set) var notices: [String] = []

  private static let newline = UInt8(ascii: "\n")
  private static let hash = UInt8(ascii: "#")
  private static let candidates = [UInt8.tab, UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "|")]
  private static let linesLookedAt = 20

  /// - Parameter delimiter: The delimiter if it is known.
  init(_ text: UnsafeBufferPointer<UInt8>, delimiter: UInt8?) {
    self.delimiter = delimiter ?? UInt8(ascii: ",")
    var rest = Self.lines(text)
    var known = delimiter
    if let first = rest.first, let separator = Self.announced(first.bytes) {
      known = separator
      pass(&rest)
      notices.append("the first line, sep=, names the delimiter")
    }
    // A line that begins with # is a comment, unless it names columns or an image.
    while let first = rest.first, first.bytes.first == Self.hash, rest.count > 1 {
      if Self.isHeader(first.bytes) {
        // `#path,label`: the mark is no part of the name.
        let blanks = first.bytes.prefix { $0 == Self.hash || $0 == UInt8.space }.count
        skippedBytes += blanks
        rest[0].bytes = UnsafeBufferPointer(rebasing: first.bytes.dropFirst(blanks))
        break
      }
      if Self.namesImage(first.bytes) { break }
      notices.append(
        "line \(skippedLines + 1) is taken for a comment: \(String(decoding: first.bytes.prefix(60), as: UTF8.self))"
      )
      pass(&rest)
    }
    let lines = rest.map(\.bytes)
    if let first = lines.first?.first, first == UInt8(ascii: "'"),
      lines.allSatisfy({ $0.isEmpty || ($0.first == first && $0.filter { $0 == first }.count % 2 == 0) }),
      !lines.contains(where: { $0.contains(UInt8(ascii: "\"")) })
    {
      quote = first
    }
    self.delimiter = known ?? Self.guess(lines, quote)
    if known == nil, self.delimiter == UInt8(ascii: "|") { notices.append("the delimiter is taken to be |") }
    skipsBlanks =
      Self.hasBlanks(lines, self.delimiter, quote) || (known == nil && self.delimiter == .space)
  }

  private mutating func pass(_ lines: inout [Line]) {
    skippedBytes += lines[0].length
    skippedLines += 1
    lines.removeFirst()
  }

  private struct Line {
    /// Without the line's end.
    var bytes: UnsafeBufferPointer<UInt8>
    /// With it.
    var length: Int
  }

  private static func lines(_ text: UnsafeBufferPointer<UInt8>) -> [Line] {
    var lines: [Line] = []
    var rest = text[...]
    // Comments come in addition to the lines that count.
    while !rest.isEmpty, lines.count < 5 * linesLookedAt {
      let end = rest.firstIndex(of: newline)
      let line = rest[..<(end ?? rest.endIndex)]
      let length = line.count + (end == nil ? 0 : 1)
      let bytes = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      lines.append(Line(bytes: UnsafeBufferPointer(rebasing: bytes), length: length))
      rest = rest.dropFirst(length)
    }
    return lines
  }

  /// The delimiter that a spreadsheet's first line announces: `sep=;`, quoted or not.
  private static func announced(_ line: UnsafeBufferPointer<UInt8>) -> UInt8? {
    var text = String(decoding: line, as: UTF8.self).lowercased()
    text.removeAll { $0 == "\"" }
    guard text.hasPrefix("sep="), text.utf8.count == 5 else { return text == "sep=" ? .tab : nil }
    return text.utf8.last
  }

  /// Whether a comment's text names columns that are known.
  private static func isHeader(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    let text = String(decoding: line.drop { $0 == hash || $0 == UInt8.space }, as: UTF8.self)
    let fields = text.split { ",;|\t".contains($0) }.map { String($0).trimmedBlanks }
    return fields.count > 1 && ManifestColumns.isKnownPath(fields) && ManifestColumns.isKnownLabel(fields)
  }

  private static func namesImage(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    let text = String(decoding: line, as: UTF8.self)
    return text.split { ",;|\t".contains($0) }.contains { ImageName.isImage(String($0).trimmedBlanks) }
  }

  /// The first candidate that parts all lines into equally many fields, else the first that the first line holds, else
  /// its only blank, for lists such as "n01440764/1.jpg 0". With more blanks than one, some belong to names.
  private static func guess(_ lines: [UnsafeBufferPointer<UInt8>], _ quote: UInt8) -> UInt8 {
    guard let first = lines.first(where: { !$0.isEmpty }) else { return UInt8(ascii: ",") }
    let present = candidates.filter { first.contains($0) }
    for candidate in present {
      let counts = counts(lines, candidate, quote)
      if let one = counts.first, one > 0, counts.allSatisfy({ $0 == one }) { return candidate }
    }
    if let candidate = present.first { return candidate }
    // Columns that are lined up have as many runs of blanks in every line.
    let runs = lines.prefix(linesLookedAt).dropLast(lines.count > 1 ? 1 : 0).filter { !$0.isEmpty }.map {
      line in
      line.indices.count { $0 > 0 && line[$0] == .space && line[$0 - 1] != .space }
    }
    return runs.first.map { run in run > 0 && runs.allSatisfy { $0 == run } } ?? false
      && (first.count { $0 == UInt8.space } == 1 || runs.count > 1) ? .space : UInt8(ascii: ",")
  }

  /// How often a byte stands outside quotes in each record of the first lines.
  private static func counts(_ lines: [UnsafeBufferPointer<UInt8>], _ byte: UInt8, _ quote: UInt8) -> [Int] {
    var counts: [Int] = []
    var isQuoted = false
    var count = 0
    for line in lines.prefix(linesLookedAt) {
      for other in line {
        if other == quote { isQuoted.toggle() } else if other == byte, !isQuoted { count += 1 }
      }
      if isQuoted { continue }
      if !line.isEmpty { counts.append(count) }
      count = 0
    }
    // The last line of those may be cut off.
    return counts.count > 1 ? counts.dropLast() : counts
  }

  /// Whether each field but the first begins with a blank.
  private static func hasBlanks(_ lines: [UnsafeBufferPointer<UInt8>], _ delimiter: UInt8, _ quote: UInt8)
    -> Bool
  {
    guard delimiter != .space else { return false }
    var blanks = 0
    for line in lines.prefix(linesLookedAt) {
      var isQuoted = false
      for (place, byte) in line.enumerated() {
        if byte == quote { isQuoted.toggle() }
        guard byte == delimiter, !isQuoted else { continue }
        // An empty field has none to show.
        guard place + 1 < line.count, line[place + 1] != delimiter else { continue }
        guard line[place + 1] == .space else { return false }
        blanks += 1
      }
    }
    return blanks > 0
  }
}

extension String {
  /// Without blanks and tabs at both ends.
  var trimmedBlanks: String {
    func isBlank(_ byte: UInt8) -> Bool { byte == .space || byte == .tab }
    guard let first = utf8.first, let last = utf8.last, isBlank(first) || isBlank(last) else { return self }
    let start = utf8.firstIndex { !isBlank($0) } ?? utf8.endIndex
    guard let end = utf8.lastIndex(where: { !isBlank($0) }), start <= end else { return "" }
    return String(self[start...end])
  }
}
