import Foundation

/// Where a table's images may lie: below a folder, or in an archive.
final class ImagePlaces {
  /// Files below the folder beyond which they are not listed.
  private static let most = 2_000_000

  let root: String
  let archive: (any ArchiveIndex)?

  init(root: String, archive: (any ArchiveIndex)?) {
    self.root = root
    self.archive = archive
  }

  func exists(_ path: String) -> Bool {
    if path.isEmpty || path.utf8.contains(0) { return false }
    if let archive { return archive[path] != nil }
    var info = stat()
    return stat(joined(root, path), &info) == 0 && info.st_mode & S_IFMT == S_IFREG
  }

  /// The folders that hold images themselves, with a slash at their ends, at most 64.
  private(set) lazy var folders: [String] = {
    let tree =
      archive.map { FolderTree(paths: $0.names.lazy.filter { ImageName.isImage($0) }) }
      ?? FolderTree(root: root)
    var found: [String] = []
    var open: [(Int, String)] = [(0, "")]
    while let (node, path) = open.popLast(), found.count < 64 {
      if tree[node].images > 0, !path.isEmpty { found.append(path) }
      open += tree.folders(of: node).reversed().map { ($0, path + tree[$0].name + "/") }
    }
    return found
  }()

  /// The images by their paths, and by their names with and without extension, all without the difference of case and of
  /// how Unicode writes a letter. A name that several images share leads nowhere.
  private lazy var byName: [String: String?] = {
    var index: [String: String?] = [:]
    func add(_ name: String, _ path: String) {
      let name = Self.folded(name)
      if let other = index[name], other != path { index[name] = .some(nil) } else { index[name] = path }
    }
    var count = 0
    func add(_ path: String) {
      count += 1
      guard count <= Self.most else { return }
      let file = path.parted(atLast: .slash)?.after ?? path
      for name in Set([path, Self.stem(path), file, Self.stem(file)]) { add(name, path) }
    }
    if let archive {
      for name in archive.names where ImageName.isImage(name) { add(name) }
    } else {
      let walk = FolderWalk(root: root, branchDepth: 0, log: ProblemLog(), notices: NoticeLog())
      try? walk.files { path, isImage in if isImage { add(path) } }
    }
    return index
  }()

  /// The one image that is called so; `nil` if there is none, or several.
  func named(_ name: String) -> String? { byName[Self.folded(name)] ?? nil }

  static func folded(_ name: String) -> String {
    name.utf8.allSatisfy { $0 < 0x80 }
      ? name.lowercased() : name.precomposedStringWithCanonicalMapping.lowercased()
  }

  static func stem(_ path: String) -> String {
    ImageName.isImage(path) ? path.parted(atLast: UInt8(ascii: "."))?.before ?? path : path
  }
}
