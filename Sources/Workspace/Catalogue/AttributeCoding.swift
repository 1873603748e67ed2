/// A sample's attributes in one blob: for each the number of its name, the length of its value, the value's
/// UTF-8. The numbers take seven bits a byte, the lowest first.
///
/// A table with a row an attribute would triple the time that a large import takes.
enum AttributeCoding {
  static func append(_ number: Int, to bytes: inout [UInt8]) {
    var rest = UInt(number)
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  static func append(_ name: Int, _ value: String, to bytes: inout [UInt8]) {
    append(name, to: &bytes)
    append(value.utf8.count, to: &bytes)
    bytes.append(contentsOf: value.utf8)
  }

  /// Passes the name's number and the value's bytes of each attribute, until `each` returns `false`.
  static func read(_ bytes: UnsafeRawBufferPointer, _ each: (Int, UnsafeRawBufferPointer) -> Bool) {
    var offset = 0
    while let name = number(bytes, &offset), let length = number(bytes, &offset) {
      guard length <= bytes.count - offset else { return }
      guard each(name, UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + length)])) else { return }
      offset += length
    }
  }

  private static func number(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Int? {
    var value: UInt = 0
    var shift: UInt = 0
    while offset < bytes.count, shift < 63 {
      let byte = bytes[offset]
      offset += 1
      value |= UInt(byte & 0x7F) << shift
      if byte < 0x80 { return Int(exactly: value) }
      shift += 7
    }
    return nil
  }
}
