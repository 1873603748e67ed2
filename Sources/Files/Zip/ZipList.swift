/// The bytes of a file in which a zip file's list of members is read.
package protocol ZipSource {
  /// The reader's own type of error.
  associatedtype Fault: Error

  var byteCount: Int64 { get }
  /// - Throws: where the file ends before, or cannot be read.
  func bytes(at offset: Int64, count: Int) throws(Fault) -> [UInt8]
  /// The error for what is wrong with the file.
  func fault(_ fault: ZipFault) -> Fault
}

/// The fault of a zip file, to be said after its name, and the remedy.
package struct ZipFault: Sendable, Hashable {
  package var what: String
  package var remedy: String

  static func damaged(_ detail: String) -> ZipFault {
    ZipFault(what: "is damaged: \(detail)", remedy: "Get it again; check it with unzip -t")
  }
}

/// A member as the list of a zip file describes it.
package struct ZipMember: Sendable {
  package enum Packing: Sendable { case stored, deflated, other }

  package var name: String
  /// `other`: encrypted, or packed by a method that is not read.
  package var packing: Packing
  /// Bytes in the file.
  package var packedSize: Int64
  /// Bytes once unpacked.
  package var size: Int64
  /// A checksum of the unpacked bytes.
  package var crc: UInt32
  fileprivate var header: Int64
  fileprivate var method: Int64
  /// Whether the checksum stands only in the list, because it was not known when the header was written.
  fileprivate var isSummedLater: Bool

  package var isFolder: Bool { name.utf8.last == UInt8(ascii: "/") }
}

/// Reads the list of members at the end of a zip file; zip64 is understood.
package struct ZipList<Source: ZipSource> {
  private let source: Source
  private let range: Range<Int64>
  /// nil where the file has more members than its end record can count.
  private let count: Int64?

  /// - Throws: the source's error where there is no list, or where it cannot lie where the file's end says.
  package init(_ source: Source) throws(Source.Fault) {
    self.source = source
    // The end record is 22 bytes and a comment of up to 65,535; zip64 puts a locator of 20 bytes before it.
    let start = max(0, source.byteCount - 22 - 65_535 - 20)
    let tail = try source.bytes(at: start, count: Int(source.byteCount - start))
    guard let end = Self.endRecord(in: tail) else {
      throw source.fault(
        ZipFault(
          what: "is not a complete zip file: its list of members is missing",
          remedy: "The file was cut short; get it again"))
    }
    guard [0, 0xFFFF].contains(tail.number(end + 4, 2)) else {
      throw source.fault(
        ZipFault(
          what: "is one part of a zip file in several parts",
          remedy: "Join the parts: zip -s 0 FIRST.zip --out joined.zip"))
    }
    var offset = tail.number(end + 16, 4)
    var length = tail.number(end + 12, 4)
    var count = Optional(tail.number(end + 10, 2))
    let isFull = offset == 0xFFFF_FFFF || length == 0xFFFF_FFFF || count == 0xFFFF
    if isFull, end >= 20, tail.number(end - 20, 4) == 0x0706_4B50 {
      let place = tail.number(end - 12, 8)
      guard place >= 0, place <= source.byteCount - 56 else {
        throw source.fault(.damaged("its zip64 record would lie beyond its end"))
      }
      let record = try source.bytes(at: place, count: 56)
      guard record.number(0, 4) == 0x0606_4B50 else {
        throw source.fault(.damaged("its zip64 record is not where it should be"))
      }
      offset = record.number(48, 8)
      length = record.number(40, 8)
      count = record.number(32, 8)
    } else if count == 0xFFFF {
      count = nil
    }
    guard offset >= 0, length >= 0, offset <= source.byteCount, length <= source.byteCount - offset else {
      throw source.fault(.damaged("its list of members would lie beyond its end"))
    }
    range = offset..<(offset + length)
    self.count = count
  }

  /// Where the end record stands in a file's last bytes: the last one whose comment ends with the file, or else the last
  /// one whose comment fits, since some programs leave bytes behind it.
  private static func endRecord(in tail: [UInt8]) -> Int? {
    var fitting: Int?
    var place = tail.count - 22
    while place >= 0 {
      if tail[place] == 0x50, tail.number(place, 4) == 0x0605_4B50 {
        let end = place + 22 + Int(tail.number(place + 20, 2))
        if end == tail.count { return place }
        if end < tail.count, fitting == nil { fitting = place }
      }
      place -= 1
    }
    return fitting
  }

  /// Hands out the members, folders among them, in the list's order. A name may come twice.
  ///
  /// - Throws: the source's error where the list is damaged, or where a name is not UTF-8; and what `each` throws.
  package func forEach(_ each: (ZipMember) throws(Source.Fault) -> Void) throws(Source.Fault) {
    let bytes = try source.bytes(at: range.lowerBound, count: Int(range.upperBound - range.lowerBound))
    var start = 0
    var found: Int64 = 0
    while start < bytes.count {
      guard start + 46 <= bytes.count, bytes.number(start, 4) == 0x0201_4B50 else {
        throw source.fault(.damaged("its list of members breaks off after \(found) of them"))
      }
      let nameEnd = start + 46 + Int(bytes.number(start + 28, 2))
      let extraEnd = nameEnd + Int(bytes.number(start + 30, 2))
      let next = extraEnd + Int(bytes.number(start + 32, 2))
      guard next <= bytes.count else {
        throw source.fault(.damaged("its list of members breaks off after \(found) of them"))
      }
      guard let name = String(validating: bytes[(start + 46)..<nameEnd], as: UTF8.self) else {
        throw source.fault(
          ZipFault(
            what: "holds a name that is not UTF-8: "
              + String(decoding: bytes[(start + 46)..<nameEnd], as: UTF8.self),
            remedy: "Unpack it (unzip -O CP437, or the encoding of its names) and import the folder"))
      }
      let flags = bytes.number(start + 8, 2)
      var member = ZipMember(
        name: name, packing: .other, packedSize: bytes.number(start + 20, 4),
        size: bytes.number(start + 24, 4), crc: UInt32(truncatingIfNeeded: bytes.number(start + 16, 4)),
        header: bytes.number(start + 42, 4), method: bytes.number(start + 10, 2),
        isSummedLater: flags & 8 != 0)
      guard member.widen(bytes[nameEnd..<extraEnd]) else {
        throw source.fault(.damaged("the size of '\(name)' is missing in its list of members"))
      }
      if flags & 1 == 0 {
        if member.method == 8 { member.packing = .deflated }
        if member.method == 0, member.packedSize == member.size { member.packing = .stored }
      }
      found += 1
      start = next
      try each(member)
    }
    guard count.map({ $0 == found }) ?? true else {
      throw source.fault(.damaged("it counts \(count ?? 0) members, but lists \(found)"))
    }
  }

  /// Where the bytes of a member begin.
  ///
  /// - Throws: the source's error where its header says something else than the list, so that one of them is damaged, or
  ///   where its bytes would not fit in the file.
  package func place(of member: ZipMember) throws(Source.Fault) -> Int64 {
    let nameCount = member.name.utf8.count
    guard member.header >= 0, member.header <= source.byteCount - 30 - Int64(nameCount) else {
      throw source.fault(.damaged("'\(member.name)' would lie beyond its end"))
    }
    let header = try source.bytes(at: member.header, count: 30 + nameCount)
    guard header.starts(with: zipSignature), header.number(8, 2) == member.method,
      member.isSummedLater || header.number(14, 4) == Int64(member.crc),
      header.number(26, 2) == nameCount, header[30...].elementsEqual(member.name.utf8)
    else { throw source.fault(.damaged("its list of members and the header of '\(member.name)' differ")) }
    let place = member.header + 30 + Int64(nameCount) + header.number(28, 2)
    guard member.packedSize >= 0, member.size >= 0, place <= source.byteCount,
      member.packedSize <= source.byteCount - place
    else { throw source.fault(.damaged("'\(member.name)' would lie beyond its end")) }
    return place
  }
}

/// The bytes that a zip file begins with: those of its first member's header.
package let zipSignature: [UInt8] = [0x50, 0x4B, 0x03, 0x04]

extension ZipMember {
  /// Takes from zip64's field the numbers that were too large for the entry. False if they are not there.
  fileprivate mutating func widen(_ extra: ArraySlice<UInt8>) -> Bool {
    let bytes = Array(extra)
    var field = 0
    while field + 4 <= bytes.count {
      let end = field + 4 + Int(bytes.number(field + 2, 2))
      if bytes.number(field, 2) == 1 {
        var place = field + 4
        for part in [\ZipMember.size, \.packedSize, \.header] where self[keyPath: part] == 0xFFFF_FFFF {
          guard place + 8 <= min(end, bytes.count) else { return false }
          self[keyPath: part] = bytes.number(place, 8)
          place += 8
        }
        return true
      }
      field = end
    }
    return true
  }
}

extension [UInt8] {
  /// A little-endian number; −1 if it is too large for any file.
  package func number(_ start: Int, _ count: Int) -> Int64 {
    let value = self[start..<(start + count)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int64(exactly: value) ?? -1
  }
}
