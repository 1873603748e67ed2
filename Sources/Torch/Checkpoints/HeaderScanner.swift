/// A strict reader of the JSON that safetensors headers consist of: objects, strings and arrays of whole numbers.
///
/// `JSONDecoder` would keep only one of two equal keys and forget their order.
struct HeaderScanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads an object, giving each key to `member`, which reads the value.
  mutating func object(
    _ member: (inout HeaderScanner, String) throws(CheckpointFault) -> Void
  ) throws(CheckpointFault) {
    try expect("{")
    if take("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try member(&self, key)
    } while take(",")
    try expect("}")
  }

  /// Reads an array of whole numbers, none negative; at most 64, the most dimensions a tensor has.
  mutating func integers() throws(CheckpointFault) -> [Int] {
    try expect("[")
    if take("]") { return [] }
    var values: [Int] = []
    repeat {
      guard values.count < 64 else { throw fault("more than 64 numbers") }
      values.append(try integer())
    } while take(",")
    try expect("]")
    return values
  }

  /// Reads a string, undoing its escapes.
  mutating func string() throws(CheckpointFault) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while let byte = next() {
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw fault("text that is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): text.append(contentsOf: try escaped())
      case 0..<0x20: throw fault("a control character in a string")
      default: text.append(byte)
      }
    }
    throw fault("a string without an end")
  }

  /// Only spaces may follow the outermost object.
  mutating func end() throws(CheckpointFault) {
    skipSpace()
    guard position == bytes.count else { throw fault("more than one object") }
  }

  private mutating func escaped() throws(CheckpointFault) -> [UInt8] {
    switch next() {
    case UInt8(ascii: "\""): return [UInt8(ascii: "\"")]
    case UInt8(ascii: "\\"): return [UInt8(ascii: "\\")]
    case UInt8(ascii: "/"): return [UInt8(ascii: "/")]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      let first = try codeUnit()
      var units = [first]
      if UTF16.isLeadSurrogate(first) {
        guard next() == UInt8(ascii: "\\"), next() == UInt8(ascii: "u") else {
          throw fault("half a surrogate")
        }
        units.append(try codeUnit())
      }
      guard let text = String(validating: units, as: UTF16.self) else { throw fault("half a surrogate") }
      return Array(text.utf8)
    default: throw fault("an unknown escape")
    }
  }

  private mutating func codeUnit() throws(CheckpointFault) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = next().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
        throw fault("an unknown escape")
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  private mutating func integer() throws(CheckpointFault) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(digit))
      guard !overflow, !carry else { throw fault("a number beyond 64 bits") }
      value = sum
      position += 1
    }
    guard position > start, position == start + 1 || bytes[start] != UInt8(ascii: "0") else {
      throw fault("something other than a whole number")
    }
    return value
  }

  private mutating func next() -> UInt8? {
    guard position < bytes.count else { return nil }
    position += 1
    return bytes[position - 1]
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(CheckpointFault) {
    guard take(character) else { throw fault("no '\(character)' where one belongs") }
  }

  private func fault(_ what: String) -> CheckpointFault {
    CheckpointFault("the header holds \(what) (byte \(position) of its JSON)")
  }
}
