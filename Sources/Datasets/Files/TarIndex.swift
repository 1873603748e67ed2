import Foundation

/// Where the members of an uncompressed tar file lie: POSIX ustar, GNU and pax, by one pass over the headers.
///
/// Members are not read: between headers the file is skipped. An image is later read straight from its offset.
struct TarIndex: ArchiveIndex {
  let path: String
  /// The members' names, in the archive's order; one that occurs again replaces the earlier, as when unpacking.
  private(set) var names: [String] = []
  private(set) var notices: [String] = []
  private var members: [ByteName: ArchiveMember] = [:]

  subscript(_ name: String) -> ArchiveMember? { members[ByteName(Self.normalized(name))] }

  /// - Throws: `DatasetProblems` if the file is no tar file or ends within a member.
  init(path: String) throws(DatasetProblems) {
    self.path = path
    var reader = try TarReader(path: path)
    var links: [TarLink] = []
    while let entry = try reader.nextEntry() {
      switch entry {
      case .file(let name, let member):
        if members.updateValue(member, forKey: ByteName(name)) == nil { names.append(name) }
      case .link(let link):
        if members[ByteName(link.name)] == nil { names.append(link.name) }
        links.append(link)
      }
    }
    resolve(links)
  }

  /// Gives links the bytes that they lead to; a link may lead to another, or to what comes behind it.
  private mutating func resolve(_ links: [TarLink]) {
    var targets: [ByteName: String] = [:]
    for link in links where members[ByteName(link.name)] == nil { targets[ByteName(link.name)] = link.target }
    var lost: [String] = []
    for link in links {
      var target = targets[ByteName(link.name)]
      var steps = 0
      while let next = target, steps < 40 {
        if let member = members[ByteName(next)] {
          members[ByteName(link.name)] = member
          break
        }
        target = targets[ByteName(next)]
        steps += 1
      }
      if members[ByteName(link.name)] == nil { lost.append(link.name) }
    }
    guard let first = lost.first else { return }
    let gone = Set(lost.map(ByteName.init))
    names.removeAll { gone.contains(ByteName($0)) }
    notices.append("skipped broken links in the archive: \(lost.count) (first: \(first))")
  }

  /// `./a//b` and `a/b` name one member.
  fileprivate static func normalized(_ name: String) -> String {
    let slash = UInt8(ascii: "/")
    guard name.utf8.first == UInt8(ascii: ".") || name.utf8.contains(slash) else { return name }
    return name.utf8.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
      .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
  }

  /// Whether the first bytes of a file are a tar header: its checksum tells.
  static func looksLikeTar(_ head: [UInt8]) -> Bool {
    head.count >= 512 && HeaderReader.checksumHolds(head[0..<512])
  }

  fileprivate static func problem(_ path: String, _ what: String, _ remedy: String) -> DatasetProblems {
    DatasetProblems(DatasetProblem(file: path, what: what, remedy: remedy))
  }
}

/// A member that is another name of one: a hard link, or a symbolic one, whose target is named from the archive's top.
struct TarLink {
  var name: String
  var target: String
}

/// The members of a tar file one after the other, holding none of them.
struct TarReader {
  private let file: Descriptor
  private var reader: HeaderReader

  init(path: String) throws(DatasetProblems) {
    file = try Descriptor(reading: path)
    reader = HeaderReader(path: path, descriptor: file.number, size: file.size)
  }

  enum Entry {
    case file(name: String, member: ArchiveMember)
    case link(TarLink)
  }

  /// Links passed over by `next`, and the first of them.
  private(set) var links: (count: Int, first: String?) = (0, nil)

  /// The next regular file; `nil` at the end. Links are counted and passed over.
  mutating func next() throws(DatasetProblems) -> (name: String, member: ArchiveMember)? {
    while let entry = try nextEntry() {
      switch entry {
      case .file(let name, let member): return (name, member)
      case .link(let link): links = (links.count + 1, links.first ?? link.name)
      }
    }
    return nil
  }

  /// The next regular file or link; `nil` at the end.
  mutating func nextEntry() throws(DatasetProblems) -> Entry? {
    guard let header = try reader.next() else { return nil }
    let name = TarIndex.normalized(header.name)
    guard let target = header.target else {
      return .file(name: name, member: ArchiveMember(offset: header.offset, length: header.length))
    }
    return .link(TarLink(name: name, target: TarIndex.normalized(target)))
  }

  /// The bytes of a small member, such as a label.
  func bytes(_ member: ArchiveMember) throws(DatasetProblems) -> [UInt8] {
    try file.bytes(at: member.offset, count: Int(member.length))
  }
}

/// Goes from header to header, resolving long names.
private struct HeaderReader {
  /// The longest name or pax record that is read.
  static let longestExtension: Int64 = 1 << 20

  var path: String
  var descriptor: CInt
  var size: Int64
  var position: Int64 = 0

  struct Header {
    var name: String
    var offset: Int64
    var length: Int64
    /// The target of a link, from the archive's top.
    var target: String?
  }

  /// The next regular file or link, or `nil` at the end.
  mutating func next() throws(DatasetProblems) -> Header? {
    var longName: String?
    var longTarget: String?
    var paxSize: Int64?
    while position + 512 <= size {
      let header = try bytes(at: position, count: 512)
      if header.allSatisfy({ $0 == 0 }) { return nil }
      guard Self.checksumHolds(header[...]) else {
        throw TarIndex.problem(
          path, "is no tar file, or is damaged at byte \(position)",
          "Check it with tar -tf and download it again")
      }
      guard let written = Self.number(header[124..<136]) else {
        throw TarIndex.problem(
          path, "has a header without a size at byte \(position)", "Check it with tar -tf")
      }
      let length = paxSize ?? written
      let start = position + 512
      guard length >= 0, length <= size - start else {
        throw TarIndex.problem(
          path, "ends within the member that begins at byte \(position)",
          "The file was cut short; download it again")
      }
      position = start + (length + 511) / 512 * 512
      switch header[156] {
      case UInt8(ascii: "0"), 0, UInt8(ascii: "7"):
        return Header(name: longName ?? Self.name(header), offset: start, length: length)
      case UInt8(ascii: "1"), UInt8(ascii: "2"):
        // A link has no bytes of its own, whatever size is written.
        position = start
        let name = longName ?? Self.name(header)
        let target = longTarget ?? Self.text(header[157..<257])
        let isSymbolic = header[156] == UInt8(ascii: "2")
        return Header(
          name: name, offset: start, length: 0,
          target: isSymbolic ? Self.followed(target, from: name) : target)
      case UInt8(ascii: "L"):
        longName = Self.text(try extendedField(at: start, length)[...])
      case UInt8(ascii: "K"):
        longTarget = Self.text(try extendedField(at: start, length)[...])
      case UInt8(ascii: "x"):
        let records = Self.paxRecords(try extendedField(at: start, length))
        longName = records["path"] ?? longName
        longTarget = records["linkpath"] ?? longTarget
        paxSize = records["size"].flatMap { Int64($0) } ?? paxSize
      case UInt8(ascii: "g"):
        continue
      default:
        // Folders and devices hold no image.
        longName = nil
        longTarget = nil
        paxSize = nil
      }
    }
    return nil
  }

  private func extendedField(at offset: Int64, _ length: Int64) throws(DatasetProblems) -> [UInt8] {
    guard length <= Self.longestExtension else {
      throw TarIndex.problem(path, "has a member name of \(length) bytes", "Check it with tar -tf")
    }
    return try bytes(at: offset, count: Int(length))
  }

  private func bytes(at offset: Int64, count: Int) throws(DatasetProblems) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = pread(descriptor, &bytes, count, off_t(offset))
    guard got == count else {
      throw TarIndex.problem(path, "cannot be read at byte \(offset): \(errnoText())", "Check the disk")
    }
    return bytes
  }

  static func checksumHolds(_ header: ArraySlice<UInt8>) -> Bool {
    let first = header.startIndex
    guard let stored = number(header[(first + 148)..<(first + 156)]) else { return false }
    var sum: Int64 = 8 * 32
    for (index, byte) in header.enumerated() where !(148..<156).contains(index) { sum += Int64(byte) }
    return sum == stored
  }

  /// An octal number, or GNU's binary form for sizes of 8 GiB and more.
  static func number(_ field: ArraySlice<UInt8>) -> Int64? {
    guard let first = field.first else { return nil }
    if first & 0x80 != 0 {
      return field.dropFirst(max(0, field.count - 8)).reduce(0) { $0 << 8 | Int64($1) }
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 >= 0x30 && $0 <= 0x37 }
    guard !digits.isEmpty else { return nil }
    return digits.reduce(0) { $0 << 3 | Int64($1 - 0x30) }
  }

  /// Where a symbolic link leads, from the archive's top; such as nothing could be called where it leads out.
  private static func followed(_ target: String, from name: String) -> String {
    if target.utf8.first == .slash { return target }
    var parts = name.fields(at: .slash).dropLast().filter { $0 != "." && !$0.isEmpty }
    for part in target.fields(at: .slash) where part != "." && !part.isEmpty {
      guard part == ".." else {
        parts.append(part)
        continue
      }
      if parts.isEmpty { return "" }
      parts.removeLast()
    }
    return parts.joined(separator: "/")
  }

  private static func name(_ header: [UInt8]) -> String {
    let name = text(header[0..<100])
    guard header[257..<262].elementsEqual("ustar".utf8), header[262] == 0 else { return name }
    let prefix = text(header[345..<500])
    return prefix.isEmpty ? name : "\(prefix)/\(name)"
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// pax records are `length key=value\n`.
  private static func paxRecords(_ bytes: [UInt8]) -> [String: String] {
    var records: [String: String] = [:]
    var rest = bytes[...]
    while let space = rest.firstIndex(of: 0x20),
      let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > 0, length <= rest.count
    {
      let end = rest.startIndex + length
      guard space + 1 < end else { break }
      let record = rest[(space + 1)..<(end - 1)]
      if let equals = record.firstIndex(of: UInt8(ascii: "=")) {
        records[String(decoding: record[..<equals], as: UTF8.self)] =
          String(decoding: record[(equals + 1)...], as: UTF8.self)
      }
      rest = rest[end...]
    }
    return records
  }
}
