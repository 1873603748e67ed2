import TestPrograms
import Testing

@testable import Files

/// Zip files are put together here byte by byte, as the format's description says: APPNOTE.TXT of PKWARE, sections 4.3 and 4.5.
@Suite("The list of a zip file")
struct ZipListTests {
  private struct Failure: Error, Equatable {
    var what: String
  }

  private struct Memory: ZipSource {
    let content: [UInt8]
    var byteCount: Int64 { Int64(content.count) }

    func bytes(at offset: Int64, count: Int) throws(Failure) -> [UInt8] {
      guard offset >= 0, count >= 0, offset + Int64(count) <= byteCount else {
        throw Failure(what: "ends early")
      }
      return Array(content[Int(offset)..<Int(offset) + count])
    }

    func fault(_ fault: ZipFault) -> Failure { Failure(what: fault.what) }
  }

  private static func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func header(_ name: String, method: Int, packed: Int, size: Int, flags: Int = 0) -> [UInt8] {
    number(0x0403_4B50, 4) + number(20, 2) + number(flags, 2) + number(method, 2) + number(0, 4)
      + number(7, 4) + number(packed, 4) + number(size, 4) + number(name.utf8.count, 2) + number(3, 2)
      + Array(name.utf8) + [9, 9, 9]
  }

  private static func entry(
    _ name: String, method: Int, packed: Int, size: Int, header: Int, flags: Int = 0, extra: [UInt8] = []
  ) -> [UInt8] {
    number(0x0201_4B50, 4) + number(20, 2) + number(20, 2) + number(flags, 2) + number(method, 2)
      + number(0, 4) + number(7, 4) + number(packed, 4) + number(size, 4) + number(name.utf8.count, 2)
      + number(extra.count, 2) + number(0, 2) + number(0, 8) + number(header, 4) + Array(name.utf8) + extra
  }

  private static func end(
    _ count: Int, list: Int, at offset: Int, disk: Int = 0, comment: [UInt8] = []
  ) -> [UInt8] {
    number(0x0605_4B50, 4) + number(disk, 2) + number(0, 2) + number(count, 2) + number(count, 2)
      + number(list, 4) + number(offset, 4) + number(comment.count, 2) + comment
  }

  private func members(_ bytes: [UInt8]) throws(Failure) -> [(
    name: String, packing: ZipMember.Packing, place: Int64
  )] {
    let list = try ZipList(Memory(content: bytes))
    var found: [(String, ZipMember.Packing, Int64)] = []
    try list.forEach { (member) throws(Failure) in
      found.append((member.name, member.packing, try list.place(of: member)))
    }
    return found
  }

  private static let first = header("a/1", method: 0, packed: 2, size: 2) + [1, 2]
  private static let list = entry("a/1", method: 0, packed: 2, size: 2, header: 0)

  @Test("members are told with what they are packed by, and where they begin")
  func plain() throws {
    let second = Self.header("é", method: 8, packed: 1, size: 4) + [3]
    let third = Self.header("x", method: 0, packed: 1, size: 1, flags: 1) + [4]
    let offset = Self.first.count
    let list =
      Self.list + Self.entry("é", method: 8, packed: 1, size: 4, header: offset)
      + Self.entry("x", method: 0, packed: 1, size: 1, header: offset + second.count, flags: 1)
    let content = Self.first + second + third
    let found = try members(content + list + Self.end(3, list: list.count, at: content.count))
    #expect(found.map(\.name) == ["a/1", "é", "x"])
    #expect(found.map(\.packing) == [.stored, .deflated, .other])
    #expect(found.map { content[Int($0.place)] } == [1, 3, 4])
  }

  @Test("a comment may hold what looks like an end, and bytes may follow the end")
  func comment() throws {
    let decoy = Self.end(9, list: 9, at: 9)
    for comment in [[], decoy + [1, 2, 3]] {
      let end = Self.end(1, list: Self.list.count, at: Self.first.count, comment: comment)
      #expect(try members(Self.first + Self.list + end).count == 1, "a comment of \(comment.count) bytes")
    }
    let end = Self.end(1, list: Self.list.count, at: Self.first.count)
    #expect(try members(Self.first + Self.list + end + [0, 0]).count == 1)
  }

  @Test("numbers too large for a record come from zip64's; a field too short for them is told")
  func large() throws {
    func file(_ field: [UInt8]) -> [UInt8] {
      let extra =
        Self.number(5, 2) + Self.number(1, 2) + [0] + Self.number(1, 2) + Self.number(field.count, 2) + field
      let list = Self.entry(
        "a/1", method: 0, packed: 0xFFFF_FFFF, size: 0xFFFF_FFFF, header: 0xFFFF_FFFF, extra: extra)
      let record = Self.first.count + list.count
      return Self.first + list + Self.number(0x0606_4B50, 4) + Self.number(44, 8) + Self.number(45, 2)
        + Self.number(45, 2) + Self.number(0, 8) + Self.number(1, 8) + Self.number(1, 8)
        + Self.number(list.count, 8) + Self.number(Self.first.count, 8) + Self.number(0x0706_4B50, 4)
        + Self.number(0, 4) + Self.number(record, 8) + Self.number(1, 4)
        + Self.end(0xFFFF, list: 0xFFFF_FFFF, at: 0xFFFF_FFFF)
    }
    let sizes = Self.number(2, 8) + Self.number(2, 8)
    #expect(try members(file(sizes + Self.number(0, 8))).map(\.place) == [36])
    #expect(throws: Failure(what: "is damaged: the size of 'a/1' is missing in its list of members")) {
      try members(file(sizes))
    }
  }

  @Test("parts, other counts, and headers that say something else than the list are told")
  func damage() throws {
    func told(_ bytes: [UInt8]) -> String? {
      do throws(Failure) {
        _ = try members(bytes)
        return nil
      } catch {
        return error.what
      }
    }
    let content = Self.first
    let whole = content + Self.list + Self.end(1, list: Self.list.count, at: content.count)
    #expect(told(whole) == nil)
    #expect(told(Array(whole.dropLast(1)))?.contains("its list of members is missing") == true)
    #expect(
      told(content + Self.list + Self.end(1, list: Self.list.count, at: content.count, disk: 2))?
        .contains("several parts") == true)
    #expect(
      told(content + Self.list + Self.end(2, list: Self.list.count, at: content.count))
        == "is damaged: it counts 2 members, but lists 1")
    #expect(
      told(content + Self.list + Self.end(1, list: 4096, at: content.count))
        == "is damaged: its list of members would lie beyond its end")
    let differs = "is damaged: its list of members and the header of 'a/1' differ"
    // Signature, method, checksum, length of the name, name.
    for byte in [0, 8, 14, 26, 30] {
      var bytes = whole
      bytes[byte] ^= 1
      #expect(told(bytes) == differs, "byte \(byte)")
    }
    let long = Self.entry("a/1", method: 0, packed: 200, size: 200, header: 0)
    #expect(
      told(content + long + Self.end(1, list: long.count, at: content.count))
        == "is damaged: 'a/1' would lie beyond its end")
  }
}
