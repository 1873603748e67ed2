/// Where the members of an archive lie, by their names.
protocol ArchiveIndex: Sendable {
  var path: String { get }
  /// In the archive's order.
  var names: [String] { get }
  subscript(_ name: String) -> ArchiveMember? { get }
}

/// Bytes that lie in an archive as they are.
struct ArchiveMember: Sendable, Hashable {
  var offset: Int64
  var length: Int64
}
