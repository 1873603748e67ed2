/// Where the members of an archive lie, by their names.
protocol ArchiveIndex: Sendable {
  var path: String { get }
  /// In the archive's order.
  var names: [String] { get }
  /// Oddities that were found in it, one line each.
  var notices: [String] { get }
  subscript(_ name: String) -> ArchiveMember? { get }
  /// Where a member lies; `nil` if there is none of that name.
  func location(of name: String) -> ImageLocation?
}

extension ArchiveIndex {
  func location(of name: String) -> ImageLocation? { self[name]?.location(in: path) }
}

/// Several archives, such as the shards of one data set, as one.
struct ArchiveGroup: ArchiveIndex {
  let path: String
  private let archives: [any ArchiveIndex]
  private let owners: [ByteName: Int]
  /// The archives by their own names, which paths may begin with.
  private let byFile: [ByteName: Int]
  private(set) var notices: [String]

  var names: [String] { archives.flatMap(\.names) }

  /// - Parameter path: Their name in messages.
  init(_ archives: [any ArchiveIndex], path: String) {
    var owners: [ByteName: Int] = [:]
    let twice = NoticeLog()
    for (place, archive) in archives.enumerated() {
      for name in archive.names where owners.updateValue(place, forKey: ByteName(name)) != nil {
        twice.add("names that are in several archives; the last one counts", name)
      }
    }
    byFile = Dictionary(
      archives.enumerated().map { (ByteName($1.path.parted(atLast: .slash)?.after ?? $1.path), $0) }
    ) { first, _ in first }
    self.archives = archives
    self.owners = owners
    self.path = path
    notices = archives.flatMap(\.notices) + twice.notices
  }

  subscript(_ name: String) -> ArchiveMember? { place(of: name).flatMap { $0.archive[$0.name] } }

  func location(of name: String) -> ImageLocation? {
    place(of: name).flatMap { $0.archive.location(of: $0.name) }
  }

  /// By the member's name alone, or `shard.tar/member`, as WebDataset's paths are kept.
  private func place(of name: String) -> (archive: any ArchiveIndex, name: String)? {
    if let owner = owners[ByteName(name)] { return (archives[owner], name) }
    guard let (file, member) = name.parted(atFirst: .slash), let owner = byFile[ByteName(file)] else {
      return nil
    }
    return (archives[owner], member)
  }
}

/// Bytes that lie in an archive, as they are or deflated.
struct ArchiveMember: Sendable, Hashable {
  var offset: Int64
  /// In the archive.
  var length: Int64
  /// Once unpacked, if they are deflated.
  var inflatedLength: Int64?
  /// A checksum of the bytes once unpacked, where the archive keeps one.
  var crc: UInt32?

  var size: Int64 { inflatedLength ?? length }

  func location(in archive: String) -> ImageLocation {
    guard let inflatedLength else {
      return .archiveMember(archive: archive, offset: offset, length: length)
    }
    return .deflatedMember(archive: archive, offset: offset, length: length, size: inflatedLength)
  }
}
