import Foundation

/// The folders of a data set and how many images lie in each: the evidence for what its levels mean.
struct FolderTree {
  struct Node {
    var name: String
    /// Images in the folder itself.
    var images = 0
    /// Images in it and below.
    var total = 0
    /// The name of one of its images.
    var example: String?
    var children: [Int] = []
  }

  /// Folders deeper than this count as part of the folder above.
  private static let deepest = 12

  /// So many folders are evidence enough.
  private static let most = 200_000

  /// Files that are no images by their names: how many, and the first.
  private(set) var others: (count: Int, first: String?) = (0, nil)
  /// The first is the top.
  private(set) var nodes = [Node(name: "")]

  subscript(_ index: Int) -> Node { nodes[index] }

  /// The folders below one that hold images.
  func folders(of index: Int) -> [Int] { nodes[index].children.filter { nodes[$0].total > 0 } }

  /// Of the images of an archive, by their paths.
  init(paths: some Sequence<String>) {
    var known: [Int: [ByteName: Int]] = [:]
    for path in paths {
      var parts = path.fields(at: .slash)
      let file = parts.removeLast()
      var node = 0
      for part in parts.prefix(Self.deepest) {
        let name = ByteName(part)
        if let child = known[node]?[name] {
          node = child
        } else {
          let child = add(part, to: node)
          known[node, default: [:]][name] = child
          node = child
        }
      }
      nodes[node].images += 1
      if nodes[node].example == nil { nodes[node].example = file }
    }
    count()
  }

  /// Of a folder on the disk. Only folders' names are kept: of a million files a number.
  init(root: String) {
    guard let folder = opendir(root) else { return }
    var above: Set<[UInt64]> = []
    scan(folder, 0, depth: 0, &above)
    count()
  }

  private mutating func add(_ name: String, to parent: Int) -> Int {
    nodes.append(Node(name: name))
    nodes[parent].children.append(nodes.count - 1)
    return nodes.count - 1
  }

  /// Lists a folder and everything below it. Adopts it. Loops of links end at the folder that is met again.
  private mutating func scan(_ folder: OpaquePointer, _ node: Int, depth: Int, _ above: inout Set<[UInt64]>) {
    defer { closedir(folder) }
    let descriptor = dirfd(folder)
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { return }
    let identity = [UInt64(info.st_dev), UInt64(info.st_ino)]
    guard nodes.count < Self.most, above.insert(identity).inserted else { return }
    defer { above.remove(identity) }
    var folders: [String] = []
    var isWorkspace = false
    while let entry = readdir(folder) {
      let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
      let raw = UnsafeRawBufferPointer(
        start: UnsafeRawPointer(entry) + offset, count: Int(entry.pointee.d_reclen) - offset)
      let name = raw.prefix { $0 != 0 }
      if JunkName.isJunk(name) { continue }
      var kind = entry.pointee.d_type
      if kind != UInt8(DT_REG), kind != UInt8(DT_DIR), let start = raw.baseAddress {
        var target = stat()
        let status = fstatat(descriptor, start.assumingMemoryBound(to: CChar.self), &target, 0)
        kind = status == 0 && target.st_mode & S_IFMT == S_IFDIR ? UInt8(DT_DIR) : UInt8(DT_REG)
      }
      if kind == UInt8(DT_DIR) {
        folders.append(String(decoding: name, as: UTF8.self))
      } else if ImageName.isImage(name) {
        nodes[node].images += 1
        if nodes[node].example == nil { nodes[node].example = String(decoding: name, as: UTF8.self) }
      } else if name.elementsEqual(JunkName.catalogue.utf8) {
        isWorkspace = true
      } else {
        others = (others.count + 1, others.first ?? String(decoding: name, as: UTF8.self))
      }
    }
    if isWorkspace, depth > 0 {
      nodes[node].images = 0
      return
    }
    folders.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for name in folders where !(isWorkspace && JunkName.belongsToWorkspace(name)) {
      let child = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard child >= 0 else { continue }
      guard let inner = fdopendir(child) else {
        close(child)
        continue
      }
      let index = depth < Self.deepest ? add(name, to: node) : node
      scan(inner, index, depth: depth + 1, &above)
    }
  }

  /// Sums up from the leaves; children come after their parents.
  private mutating func count() {
    for index in nodes.indices.reversed() {
      nodes[index].total = nodes[index].images + nodes[index].children.reduce(0) { $0 + nodes[$1].total }
    }
  }
}
