/// Reads JSON from bytes, front to back, without building a tree.
package struct JSONScanner {
  package struct Fault: Error {
    package var what: String
    /// From the start of the text.
    package var offset: Int

    package init(what: String, offset: Int) {
      self.what = what
      self.offset = offset
    }
  }

  /// Deep nesting is refused before the stack runs out.
  private static let deepest = 64

  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  package init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
  }

  /// Reads the whole text as one object. `member` must read its value from the scanner that it is given.
  package mutating func object(_ member: (String, inout JSONScanner) throws(Fault) -> Void) throws(Fault) {
    try members(member)
    try end()
  }

  /// Makes sure that nothing follows.
  package mutating func end() throws(Fault) {
    skipSpace()
    if position < bytes.count { throw fault("something follows the last value") }
  }

  /// Reads an object's members. `member` must read its value, by `members`, `elements`, `valueText` or `skip`.
  package mutating func members(_ member: (String, inout JSONScanner) throws(Fault) -> Void) throws(Fault) {
    skipSpace()
    try expect("{")
    skipSpace()
    if take("}") { return }
    repeat {
      skipSpace()
      let name = try string()
      skipSpace()
      try expect(":")
      skipSpace()
      try member(name, &self)
      skipSpace()
    } while take(",")
    try expect("}")
  }

  /// A value as text: strings unescaped, `null` as `nil`, everything else as written.
  package mutating func valueText() throws(Fault) -> String? {
    skipSpace()
    guard position < bytes.count else { throw fault("a value is missing") }
    if bytes[position] == UInt8(ascii: "\"") { return try string() }
    let start = position
    try skipValue(depth: 0)
    let text = bytes[start..<position]
    // Python writes NaN where there is nothing.
    if text.elementsEqual("null".utf8) || text.elementsEqual("NaN".utf8) { return nil }
    guard let text = String(validating: text, as: UTF8.self) else { throw fault("text is not UTF-8") }
    return text
  }

  /// A string, unescaped; any other value is a fault.
  package mutating func text() throws(Fault) -> String {
    skipSpace()
    return try string()
  }

  /// A whole number that is not negative, written without leading zeros.
  package mutating func wholeNumber() throws(Fault) -> Int {
    skipSpace()
    let start = position
    let digits = skipDigits()
    guard digits > 0, digits == 1 || bytes[start] != UInt8(ascii: "0") else {
      throw fault("something stands in the place of a whole number", at: start)
    }
    guard let number = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      throw fault("a number is beyond 64 bits", at: start)
    }
    return number
  }

  /// Where the next byte lies.
  package var offset: Int { position }

  /// Reads a list. `element` must read one of its values.
  package mutating func elements(_ element: (inout JSONScanner) throws(Fault) -> Void) throws(Fault) {
    skipSpace()
    try expect("[")
    skipSpace()
    if take("]") { return }
    repeat {
      skipSpace()
      try element(&self)
      skipSpace()
    } while take(",")
    try expect("]")
  }

  /// Passes over a value, and tells where it lies.
  package mutating func range() throws(Fault) -> Range<Int> {
    skipSpace()
    let start = position
    try skipValue(depth: 0)
    return start..<position
  }

  /// Passes over a value.
  package mutating func skip() throws(Fault) { try skipValue(depth: 0) }

  /// Whether the next value is an object, a list or something else.
  package mutating func isNext(_ opening: Unicode.Scalar) -> Bool {
    skipSpace()
    return position < bytes.count && bytes[position] == UInt8(ascii: opening)
  }

  private mutating func skipValue(depth: Int) throws(Fault) {
    guard depth < Self.deepest else { throw fault("values are nested too deeply") }
    skipSpace()
    guard position < bytes.count else { throw fault("a value is missing") }
    switch bytes[position] {
    case UInt8(ascii: "\""):
      try skipString()
    case UInt8(ascii: "{"):
      try members { (_, scanner) throws(Fault) in try scanner.skipValue(depth: depth + 1) }
    case UInt8(ascii: "["):
      position += 1
      skipSpace()
      if take("]") { return }
      repeat { try skipValue(depth: depth + 1); skipSpace() } while take(",")
      try expect("]")
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    case UInt8(ascii: "N"): try literal("NaN")
    case UInt8(ascii: "I"): try literal("Infinity")
    default: try skipNumber()
    }
  }

  private mutating func literal(_ text: StaticString) throws(Fault) {
    for index in 0..<text.utf8CodeUnitCount {
      guard position < bytes.count, bytes[position] == text.utf8Start[index] else {
        throw fault("a value is not JSON")
      }
      position += 1
    }
  }

  private mutating func skipNumber() throws(Fault) {
    _ = take("-")
    let digits = skipDigits()
    guard digits > 0 else { throw fault("a value is not JSON") }
    if take("."), skipDigits() == 0 { throw fault("a number is incomplete") }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      if skipDigits() == 0 { throw fault("a number is incomplete") }
    }
  }

  private mutating func skipDigits() -> Int {
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
      position += 1
    }
    return position - start
  }

  private mutating func skipString() throws(Fault) {
    try expect("\"")
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    try expect("\"")
  }

  private mutating func string() throws(Fault) -> String {
    let start = position + 1
    try skipString()
    let raw = UnsafeBufferPointer(rebasing: bytes[start..<(position - 1)])
    if raw.contains(where: { $0 == UInt8(ascii: "\\") || $0 < 0x20 }) { return try unescaped(raw, at: start) }
    guard let text = String(validating: raw, as: UTF8.self) else {
      throw fault("a string is not UTF-8", at: start)
    }
    return text
  }

  private func unescaped(_ raw: UnsafeBufferPointer<UInt8>, at offset: Int) throws(Fault) -> String {
    var kept: [UInt8] = []
    kept.reserveCapacity(raw.count)
    var index = 0
    while index < raw.count {
      guard raw[index] >= 0x20 else { throw fault("a control character is not escaped", at: offset + index) }
      guard raw[index] == UInt8(ascii: "\\") else {
        kept.append(raw[index])
        index += 1
        continue
      }
      guard index + 1 < raw.count else { throw fault("an escape is incomplete", at: offset + index) }
      let code = raw[index + 1]
      index += 2
      switch code {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): kept.append(code)
      case UInt8(ascii: "b"): kept.append(8)
      case UInt8(ascii: "f"): kept.append(12)
      case UInt8(ascii: "n"): kept.append(10)
      case UInt8(ascii: "r"): kept.append(13)
      case UInt8(ascii: "t"): kept.append(9)
      case UInt8(ascii: "u"):
        guard let scalar = Self.scalar(raw, &index) else {
          throw fault("a \\u escape is not a character", at: offset + index)
        }
        kept.append(contentsOf: Array(String(Character(scalar)).utf8))
      default: throw fault("an escape is not JSON's", at: offset + index)
      }
    }
    guard let text = String(validating: kept, as: UTF8.self) else {
      throw fault("a string is not UTF-8", at: offset)
    }
    return text
  }

  /// The character of the four digits at `index`, with the low surrogate that must follow a high one.
  private static func scalar(_ raw: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Unicode.Scalar? {
    func unit(_ at: Int) -> UInt32? {
      guard at >= 0, at + 4 <= raw.count else { return nil }
      var value: UInt32 = 0
      for byte in raw[at..<(at + 4)] {
        guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
        value = value << 4 | UInt32(digit)
      }
      return value
    }
    guard let first = unit(index) else { return nil }
    index += 4
    guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
    guard index + 2 <= raw.count, raw[index] == UInt8(ascii: "\\"), raw[index + 1] == UInt8(ascii: "u"),
      let second = unit(index + 2), (0xDC00..<0xE000).contains(second)
    else { return nil }
    index += 6
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
    if !take(character) {
      throw fault(character == "\"" ? "a quotation mark is missing" : "\"\(character)\" is missing")
    }
  }

  private func fault(_ what: String, at offset: Int? = nil) -> Fault {
    Fault(what: what, offset: min(offset ?? position, bytes.count))
  }
}
