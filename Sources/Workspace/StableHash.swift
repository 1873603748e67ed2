/// A 128-bit hash of content that is the same on every machine and in every run, for the keys of stages.
///
/// Not cryptographic: it tells changed inputs from unchanged ones, nobody gains from a collision. Each piece
/// goes in with its length, so that `("ab", "c")` and `("a", "bc")` differ. Words are folded through a 64 ×
/// 64 → 128-bit product in two lanes with different constants.
package struct StableHash: Sendable {
  private var first: UInt64 = 0x243F_6A88_85A3_08D3
  private var second: UInt64 = 0x1319_8A2E_0370_7344

  package init() {}

  package mutating func combine(_ word: UInt64) {
    first = Self.fold(first ^ word, 0x9E37_79B9_7F4A_7C15)
    second = Self.fold(second &+ word, 0xD6E8_FEB8_6659_FD93) ^ word
  }

  package mutating func combine(_ value: Int) { combine(UInt64(bitPattern: Int64(value))) }

  package mutating func combine(_ text: String) {
    var text = text
    text.withUTF8 { combine(UnsafeRawBufferPointer($0)) }
  }

  package mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    combine(bytes.count)
    var offset = 0
    while offset + 8 <= bytes.count {
      combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset += 8
    }
    if offset < bytes.count {
      combine(bytes[offset...].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
  }

  /// 64 of the bits.
  package var word: UInt64 { Self.fold(first ^ second, 0xA076_1D64_78BD_642F) }

  /// 32 hexadecimal digits.
  package var text: String {
    let other = Self.fold(second &+ 0xE703_7ED1_A0B4_28DB, first | 1)
    return [word, other].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// The hash of some texts, as hexadecimal digits.
  package static func of(_ pieces: String...) -> String {
    var hash = StableHash()
    for piece in pieces { hash.combine(piece) }
    return hash.text
  }

  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    // A zero would swallow the other factor, and with it all that came before.
    let product = (left | (left == 0 ? 0x2545_F491_4F6C_DD1D : 0)).multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
