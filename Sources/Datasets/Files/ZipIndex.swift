import Foundation

/// Where the members of a zip file lie, stored or deflated; zip64 is understood.
struct ZipIndex: ArchiveIndex {
  static let signature: [UInt8] = [0x50, 0x4B, 0x03, 0x04]

  let path: String
  private(set) var names: [String] = []
  private(set) var notices: [String] = []
  private var members: [ByteName: ArchiveMember] = [:]
  /// Images among the members that are encrypted or packed otherwise, and the first of them.
  private(set) var unreadable: (count: Int, first: String?) = (0, nil)

  subscript(_ name: String) -> ArchiveMember? { members[ByteName(name)] }

  /// Whether a file's first bytes are those of a zip file that is an office document, such as a workbook.
  static func isOfficeDocument(_ head: [UInt8]) -> Bool {
    guard head.starts(with: signature) else { return false }
    let text = String(decoding: head, as: UTF8.self)
    return ["[Content_Types].xml", "xl/", "docProps/", "mimetypeapplication/vnd.oasis"].contains {
      text.contains($0)
    }
  }

  /// - Throws: `DatasetProblems` if the file is no zip file, or damaged.
  init(path: String) throws(DatasetProblems) {
    self.path = path
    let file = try Descriptor(reading: path)
    let directory = try Self.directory(file)
    var start = 0
    var count = 0
    let bytes = try file.bytes(at: directory.list.offset, count: Int(directory.list.length))
    while start + 46 <= bytes.count, bytes.number(start, 4) == 0x0201_4B50 {
      let flags = bytes.number(start + 8, 2)
      let method = bytes.number(start + 10, 2)
      let nameEnd = start + 46 + Int(bytes.number(start + 28, 2))
      let extraEnd = nameEnd + Int(bytes.number(start + 30, 2))
      guard extraEnd <= bytes.count else { throw Self.damaged(path) }
      count += 1
      var entry = Entry(
        compressed: bytes.number(start + 20, 4), length: bytes.number(start + 24, 4),
        header: bytes.number(start + 42, 4))
      entry.widen(bytes[nameEnd..<extraEnd])
      guard let name = String(validating: bytes[(start + 46)..<nameEnd], as: UTF8.self) else {
        throw DatasetProblems(
          DatasetProblem(
            file: path,
            what: "holds a name that is not UTF-8: "
              + String(decoding: bytes[(start + 46)..<nameEnd], as: UTF8.self),
            remedy: "Unpack it (unzip -O CP437, or the encoding of its names) and import the folder"))
      }
      let next = extraEnd + Int(bytes.number(start + 32, 2))
      let centralLength = next - start
      start = next
      if name.utf8.last == .slash { continue }
      let isEncrypted = flags & 1 != 0
      guard !isEncrypted, method == 8 || (method == 0 && entry.compressed == entry.length) else {
        if ImageName.isImage(name) { unreadable = (unreadable.count + 1, unreadable.first ?? name) }
        continue
      }
      // What the list says stands before the member once more: where the two differ, one of them is damaged.
      let local = try file.bytes(at: entry.header, count: 30 + name.utf8.count)
      let crc = UInt32(truncatingIfNeeded: bytes.number(start - centralLength + 16, 4))
      guard local.starts(with: Self.signature), local.number(8, 2) == method,
        flags & 8 != 0 || local.number(14, 4) == Int64(crc),
        local.number(26, 2) == name.utf8.count, local[30...].elementsEqual(name.utf8)
      else { throw Self.damaged(path) }
      let offset = entry.header + 30 + local.number(26, 2) + local.number(28, 2)
      guard offset <= file.size, entry.compressed <= file.size - offset, entry.length >= 0 else {
        throw Self.damaged(path)
      }
      let member = ArchiveMember(
        offset: offset, length: entry.compressed, inflatedLength: method == 8 ? entry.length : nil, crc: crc)
      if members.updateValue(member, forKey: ByteName(name)) == nil { names.append(name) }
    }
    guard start == bytes.count, directory.entries.map({ $0 == count }) ?? true else {
      throw Self.damaged(path)
    }
    partAtBackslashes()
  }

  /// Old programs of Windows part folders by backslashes, which the format forbids: where no name has a slash, they do.
  private mutating func partAtBackslashes() {
    let backslash = UInt8(ascii: "\\")
    guard names.contains(where: { $0.utf8.contains(backslash) }),
      !names.contains(where: { $0.utf8.contains(.slash) })
    else { return }
    var parted: [ByteName: ArchiveMember] = [:]
    names = names.map { name in
      let slashed = name.fields(at: backslash).joined(separator: "/")
      parted[ByteName(slashed)] = members[ByteName(name)]
      return slashed
    }
    members = parted
    notices.append(
      "the archive's names part folders by backslashes, as Windows does; they are read as slashes")
  }

  /// Why images in it cannot be read.
  var refusal: DatasetProblem? {
    unreadable.first.map { first in
      DatasetProblem(
        file: path,
        what:
          "holds \(unreadable.count) images that are encrypted or packed by a rare method, such as \(first)",
        remedy: "Unpack it and import the folder, or pack it again with zip -r")
    }
  }

  private struct Entry {
    var compressed: Int64
    var length: Int64
    var header: Int64

    /// Takes from zip64's field the numbers that were too large for the entry.
    mutating func widen(_ extra: ArraySlice<UInt8>) {
      var field = extra.startIndex
      let bytes = Array(extra)
      field = 0
      while field + 4 <= bytes.count {
        let end = field + 4 + Int(bytes.number(field + 2, 2))
        if bytes.number(field, 2) == 1 {
          var place = field + 4
          func next(_ value: inout Int64) {
            guard value == 0xFFFF_FFFF, place + 8 <= min(end, bytes.count) else { return }
            value = bytes.number(place, 8)
            place += 8
          }
          next(&length)
          next(&compressed)
          next(&header)
          return
        }
        field = end
      }
    }
  }

  /// Finds the list of members, whose place stands at the file's end, and how many there are.
  private static func directory(
    _ file: Descriptor
  ) throws(DatasetProblems) -> (list: ArchiveMember, entries: Int?) {
    let tailStart = max(0, file.size - 22 - 65_535 - 20)
    let tail = try file.bytes(at: tailStart, count: Int(file.size - tailStart))
    var end = tail.count - 22
    while end >= 0, tail.number(end, 4) != 0x0605_4B50 { end -= 1 }
    guard end >= 0 else {
      throw DatasetProblems(
        DatasetProblem(
          file: file.path, what: "is not a complete zip file: its list of members is missing",
          remedy: "The file was cut short; get it again"))
    }
    let directory = ArchiveMember(offset: tail.number(end + 16, 4), length: tail.number(end + 12, 4))
    if directory.offset == 0xFFFF_FFFF || directory.length == 0xFFFF_FFFF, end >= 20,
      tail.number(end - 20, 4) == 0x0706_4B50
    {
      let record = try file.bytes(at: tail.number(end - 12, 8), count: 56)
      guard record.number(0, 4) == 0x0606_4B50 else { throw damaged(file.path) }
      return (
        ArchiveMember(offset: record.number(48, 8), length: record.number(40, 8)),
        Int(exactly: record.number(32, 8))
      )
    }
    let entries = Int(tail.number(end + 10, 2))
    return (directory, entries == 0xFFFF ? nil : entries)
  }

  private static func damaged(_ path: String) -> DatasetProblems {
    DatasetProblems(
      DatasetProblem(
        file: path, what: "is damaged: its list of members is inconsistent",
        remedy: "Get it again; check it with unzip -t"))
  }
}

extension [UInt8] {
  /// A little-endian number; −1 if it is too large for any file.
  func number(_ start: Int, _ count: Int) -> Int64 {
    let value = self[start..<(start + count)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int64(exactly: value) ?? -1
  }
}
