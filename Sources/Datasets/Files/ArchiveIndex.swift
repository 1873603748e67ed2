/// Where the members of an archive lie, by their names.
protocol ArchiveIndex: Sendable {
  var path: String { get }
  /// In the archive's order.
  var names: [String] { get }
  /// What was found odd in it, a line each.
  var notices: [String] { get }
  subscript(_ name: String) -> ArchiveMember? { get }
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
