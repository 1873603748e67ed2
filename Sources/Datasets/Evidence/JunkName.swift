/// Files and folders that operating systems and this program leave in data sets, and that are no part of them.
enum JunkName {
  /// The file that tells a workspace of this program.
  static let catalogue = "catalogue.sqlite"
  /// The names of a workspace's folders, for a data set whose own folder is the workspace.
  private static let workspaceFolders: Set<String> = [
    "features", "models", "scores", "downloads", "report", "thumbnails",
  ]

  private static let names: [[UInt8]] = [
    "__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir", "lost+found", "$RECYCLE.BIN",
    "System Volume Information",
  ].map { Array($0.utf8) }

  /// Whether a name is hidden, or one of those.
  static func isJunk(_ name: some Sequence<UInt8>) -> Bool {
    var iterator = name.makeIterator()
    guard let first = iterator.next() else { return true }
    if first == UInt8(ascii: ".") { return true }
    guard "_Td@l$S".utf8.contains(first) else { return false }
    return names.contains { $0.elementsEqual(name) }
  }

  /// Whether any part of a path is junk.
  static func isBelowJunk(_ path: String) -> Bool {
    path.utf8.split(separator: .slash).contains { isJunk($0) }
  }

  /// Whether a folder at the top of a workspace is the workspace's own.
  static func belongsToWorkspace(_ name: String) -> Bool { workspaceFolders.contains(name) }
}

/// A name compared by its bytes: names that Unicode calls equal may be two files.
struct ByteName: Hashable {
  let text: String

  init(_ text: String) { self.text = text }

  static func == (left: ByteName, right: ByteName) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
