import Foundation

/// Lists the files below a folder in a fixed order, whatever the file system's: by the bytes of their names.
///
/// Links to folders are followed. A folder is listed once in each branch of the first `branchDepth` levels, so that
/// loops of links end, while two classes may still share a folder.
struct FolderWalk {
  /// Folders deeper than this are reported, not entered.
  static let deepest = 64

  let root: String
  let branchDepth: Int
  let log: ProblemLog
  let notices: NoticeLog

  private struct FolderID: Hashable {
    var device: UInt64
    var inode: UInt64
  }

  private struct Entry {
    var offset: Int
    var length: Int
    var kind: UInt8
  }

  /// Passes the path of each file, relative to `root`, and its extension's verdict.
  func files(_ each: (_ relative: String, _ isImage: Bool) throws -> Void) throws {
    let descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      log.add(root, "cannot be listed: \(errnoText())", "Check the folder's permissions")
      return
    }
    var visited: Set<FolderID> = []
    try walk(descriptor, "", depth: 0, &visited, each)
  }

  /// Lists one folder and everything below it. Takes the descriptor over.
  private func walk(
    _ descriptor: CInt, _ prefix: String, depth: Int, _ visited: inout Set<FolderID>,
    _ each: (String, Bool) throws -> Void
  ) throws {
    guard let folder = fdopendir(descriptor) else {
      log.add("\(root)/\(prefix)", "cannot be listed: \(errnoText())", "Check the folder's permissions")
      close(descriptor)
      return
    }
    defer { closedir(folder) }
    var info = stat()
    fstat(descriptor, &info)
    guard visited.insert(FolderID(device: UInt64(info.st_dev), inode: UInt64(info.st_ino))).inserted else {
      notices.add("folders that a link leads to again, listed once", prefix)
      return
    }
    var names: [UInt8] = []
    let entries = list(folder, prefix, &names)
    let isWorkspace = entries.contains {
      names[$0.offset..<($0.offset + $0.length)].elementsEqual(JunkName.catalogue.utf8)
    }
    guard !isWorkspace || depth == 0 else {
      notices.add("skipped CleanNet workspaces", prefix)
      return
    }
    for entry in entries {
      let bytes = names[entry.offset..<(entry.offset + entry.length)]
      if isWorkspace, JunkName.belongsToWorkspace(String(decoding: bytes, as: UTF8.self)) { continue }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        let shown = prefix + String(decoding: bytes, as: UTF8.self)
        log.add("\(root)/\(shown)", "its name is not UTF-8", "Rename it (convmv -f latin1 -t utf8 --notest)")
        continue
      }
      let relative = prefix + name
      // The terminating zero lies behind the name in the arena.
      let kind = kind(entry, descriptor, names, relative)
      switch kind {
      case UInt8(DT_REG):
        try each(relative, ImageName.isImage(bytes))
      case UInt8(DT_DIR):
        let child = names.withUnsafeBytes { raw -> CInt in
          guard let base = raw.baseAddress else { return -1 }
          let name = base.advanced(by: entry.offset).assumingMemoryBound(to: CChar.self)
          return openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard child >= 0 else {
          log.add(
            "\(root)/\(relative)", "cannot be listed: \(errnoText())",
            "Change its permissions, or move it out of the data set")
          continue
        }
        guard depth < Self.deepest else {
          close(child)
          log.add(
            "\(root)/\(relative)", "lies more than \(Self.deepest) folders deep", "Flatten the data set")
          continue
        }
        if depth < branchDepth {
          var branch = visited
          try walk(child, relative + "/", depth: depth + 1, &branch, each)
        } else {
          try walk(child, relative + "/", depth: depth + 1, &visited, each)
        }
      default:
        break
      }
    }
  }

  /// The entries of a folder without the hidden ones, sorted; their names, each with a zero behind it, in `names`.
  private func list(_ folder: OpaquePointer, _ prefix: String, _ names: inout [UInt8]) -> [Entry] {
    var entries: [Entry] = []
    while let entry = readdir(folder) {
      let length = Int(entry.pointee.d_reclen)
      let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
      let raw = UnsafeRawBufferPointer(
        start: UnsafeRawPointer(entry) + nameOffset, count: length - nameOffset)
      let name = raw.prefix { $0 != 0 }
      if JunkName.isJunk(name) {
        if name.first != UInt8(ascii: ".") {
          notices.add(
            "skipped files and folders of operating systems",
            prefix + String(decoding: name, as: UTF8.self))
        } else if !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) {
          notices.add("skipped hidden files and folders", prefix + String(decoding: name, as: UTF8.self))
        }
        continue
      }
      entries.append(Entry(offset: names.count, length: name.count, kind: entry.pointee.d_type))
      names.append(contentsOf: name)
      names.append(0)
    }
    names.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      entries.sort { left, right in
        let order = memcmp(base + left.offset, base + right.offset, min(left.length, right.length))
        return order == 0 ? left.length < right.length : order < 0
      }
    }
    return entries
  }

  /// The kind of an entry, following links; `DT_UNKNOWN` if it cannot be read as a file.
  private func kind(_ entry: Entry, _ descriptor: CInt, _ names: [UInt8], _ relative: String) -> UInt8 {
    if entry.kind == UInt8(DT_REG) || entry.kind == UInt8(DT_DIR) { return entry.kind }
    var info = stat()
    let status = names.withUnsafeBytes { raw -> CInt in
      guard let base = raw.baseAddress else { return -1 }
      return fstatat(
        descriptor, base.advanced(by: entry.offset).assumingMemoryBound(to: CChar.self), &info, 0)
    }
    guard status == 0 else {
      notices.add("skipped broken links", relative)
      return UInt8(DT_UNKNOWN)
    }
    switch info.st_mode & S_IFMT {
    case S_IFREG: return UInt8(DT_REG)
    case S_IFDIR: return UInt8(DT_DIR)
    default:
      notices.add("skipped devices, pipes and sockets", relative)
      return UInt8(DT_UNKNOWN)
    }
  }
}
