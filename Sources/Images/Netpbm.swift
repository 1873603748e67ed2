/// PBM, PGM and PPM (Netpbm's P1 to P6): a header as text, then the pixels, packed or as text.
///
/// Read here, since libvips reads them from files alone. Samples are scaled to 8 bits; of several images the first counts.
package struct Netpbm {
  package let width: Int
  package let height: Int
  /// 1 or 3.
  let bands: Int
  private let kind: UInt8
  private let maximum: Int
  /// Where the pixels begin.
  private let start: Int

  /// Whether bytes begin as such an image: `P`, a digit, a blank.
  static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 3 && bytes[0] == UInt8(ascii: "P")
      && (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(bytes[1])
      && (isBlank(bytes[2]) || bytes[2] == UInt8(ascii: "#"))
  }

  /// Reads the header; `nil` if it is none.
  package init?(_ bytes: UnsafeRawBufferPointer) {
    guard Self.begins(bytes) else { return nil }
    kind = bytes[1] - UInt8(ascii: "0")
    var place = 2
    guard let width = Self.number(bytes, &place), let height = Self.number(bytes, &place), width > 0,
      height > 0,
      width < 1 << 24, height < 1 << 24
    else { return nil }
    if kind == 1 || kind == 4 {
      maximum = 1
    } else {
      guard let value = Self.number(bytes, &place), (1...65_535).contains(value) else { return nil }
      maximum = value
    }
    self.width = width
    self.height = height
    bands = kind == 3 || kind == 6 ? 3 : 1
    // One blank parts the header from packed pixels.
    start = place + 1
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  /// The next number, comments and blanks passed over.
  private static func number(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> Int? {
    while place < bytes.count {
      if bytes[place] == UInt8(ascii: "#") {
        while place < bytes.count, bytes[place] != 0x0A, bytes[place] != 0x0D { place += 1 }
      } else if isBlank(bytes[place]) {
        place += 1
      } else {
        break
      }
    }
    var value = 0
    var digits = 0
    while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]), digits < 9 {
      value = value * 10 + Int(bytes[place] - UInt8(ascii: "0"))
      place += 1
      digits += 1
    }
    return digits > 0 ? value : nil
  }

  /// The pixels, `[height, width, bands]`; `nil` if the end is missing or a value is none.
  package func pixels(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    let count = width * height * bands
    func scaled(_ value: Int) -> UInt8? {
      guard value <= maximum else { return nil }
      return UInt8((value * 255 + maximum / 2) / maximum)
    }
    switch kind {
    case 1:
      // Digits of plain bitmaps may stand without blanks between; 1 is black.
      var found: [UInt8] = []
      found.reserveCapacity(min(count, bytes.count))
      var place = start - 1
      while found.count < count, place < bytes.count {
        switch bytes[place] {
        case UInt8(ascii: "0"): found.append(255)
        case UInt8(ascii: "1"): found.append(0)
        case UInt8(ascii: "#"): while place < bytes.count, bytes[place] != 0x0A { place += 1 }
        case let byte where Self.isBlank(byte): break
        default: return nil
        }
        place += 1
      }
      return found.count == count ? found : nil
    case 2, 3:
      var found: [UInt8] = []
      found.reserveCapacity(min(count, bytes.count))
      var place = start - 1
      while found.count < count {
        guard let value = Self.number(bytes, &place), let byte = scaled(value) else { return nil }
        found.append(byte)
      }
      return found
    case 4:
      let row = (width + 7) / 8
      guard bytes.count - start >= row * height else { return nil }
      return (0..<count).map { index in
        let byte = bytes[start + index / width * row + index % width / 8]
        return byte >> UInt8(7 - index % width % 8) & 1 == 1 ? 0 : 255
      }
    default:
      let size = maximum > 255 ? 2 : 1
      guard bytes.count - start >= count * size else { return nil }
      if maximum == 255 { return Array(bytes[start..<(start + count)]) }
      var found = [UInt8](repeating: 0, count: count)
      for index in 0..<count {
        let place = start + index * size
        let value = size == 1 ? Int(bytes[place]) : Int(bytes[place]) << 8 | Int(bytes[place + 1])
        guard let byte = scaled(value) else { return nil }
        found[index] = byte
      }
      return found
    }
  }
}
