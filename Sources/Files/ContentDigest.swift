import Foundation

/// A 128-bit digest of bytes that come piece by piece: the same for the same bytes, however they are cut.
///
/// It finds what disks and cables do to files: a flipped bit, a lost page, a cut end. Not cryptographic: who wants to
/// forge a file of one's own workspace may. Words of eight bytes are folded through a 64 × 64 → 128-bit product in two
/// lanes with different constants, at some gigabytes a second.
package struct ContentDigest: Sendable {
  private var first: UInt64 = 0xA409_3822_299F_31D0
  private var second: UInt64 = 0x082E_FA98_EC4E_6C89
  /// Bytes that do not fill a word yet, the first lowest.
  private var tail: UInt64 = 0
  private var tailCount = 0
  /// Bytes so far.
  package private(set) var count = 0

  package init() {}

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    count += bytes.count
    var offset = 0
    while tailCount > 0, offset < bytes.count { append(bytes[offset]); offset += 1 }
    while offset + 8 <= bytes.count {
      fold(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset += 8
    }
    while offset < bytes.count { append(bytes[offset]); offset += 1 }
  }

  private mutating func append(_ byte: UInt8) {
    tail |= UInt64(byte) << (8 * UInt64(tailCount))
    tailCount += 1
    if tailCount == 8 {
      fold(tail)
      tail = 0
      tailCount = 0
    }
  }

  private mutating func fold(_ word: UInt64) {
    first = Self.product(first ^ word, 0x9E37_79B9_7F4A_7C15)
    second = Self.product(second &+ word, 0xD6E8_FEB8_6659_FD93) ^ word
  }

  private static func product(_ left: UInt64, _ right: UInt64) -> UInt64 {
    // A zero would swallow all that came before.
    let product = (left == 0 ? 0x2545_F491_4F6C_DD1D : left).multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  private var ended: ContentDigest {
    var end = self
    end.fold(tail)
    end.fold(UInt64(count))
    return end
  }

  /// 64 of the bits.
  package var word: UInt64 {
    let end = ended
    return Self.product(end.first ^ end.second, 0xA076_1D64_78BD_642F)
  }

  /// 32 hexadecimal digits.
  package var text: String {
    let end = ended
    let other = Self.product(end.second &+ 0xE703_7ED1_A0B4_28DB, end.first | 1)
    return [word, other].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  package static func of(_ bytes: UnsafeRawBufferPointer) -> ContentDigest {
    var digest = ContentDigest()
    digest.update(bytes)
    return digest
  }

  /// The digest of a file, or of a part of it, read in pieces.
  ///
  /// - Parameter range: From a place, this many bytes; nil: all of it.
  /// - Throws: ``FileError`` if it cannot be read, or ends before the range does.
  package static func ofFile(
    _ path: String, range: (offset: Int64, length: Int64)? = nil
  ) throws(FileError) -> ContentDigest {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system(path, "cannot be opened") }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      throw .system(path, "is no regular file", code: EINVAL)
    }
    var digest = ContentDigest()
    var place = range?.offset ?? 0
    var left = range?.length ?? Int64.max
    let room = min(1 << 18, max(4096, Int(clamping: min(left, Int64(info.st_size)))))
    var failure: FileError?
    withUnsafeTemporaryAllocation(byteCount: room, alignment: 16) { buffer in
      while left > 0, failure == nil {
        let got = pread(descriptor, buffer.baseAddress, Int(min(Int64(room), left)), off_t(place))
        if got > 0 {
          digest.update(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<got]))
          place += Int64(got)
          left -= Int64(got)
        } else if got == 0 {
          if range != nil { failure = .system(path, "ends too early", code: EIO) }
          break
        } else if errno != EINTR {
          failure = .system(path, "cannot be read")
        }
      }
    }
    if let failure { throw failure }
    return digest
  }
}
