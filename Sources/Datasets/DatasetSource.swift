import Foundation

/// What formats judge a source by: its kind, its first bytes, the names in a folder.
public struct DatasetSource: Sendable {
  /// As the user wrote it, for messages.
  public let path: String
  public let absolutePath: String
  public let isFolder: Bool
  /// The first bytes of a file, or of the first of several, at most 1,024; empty for a folder.
  public let head: [UInt8]
  /// The files, by absolute path, that a pattern such as `train-{000000..000127}.tar` or `shards/*.tar` stands for.
  public let files: [String]?

  /// - Throws: `DatasetProblems` if there is no such file or folder, a pattern's files are not all there, or it cannot
  ///   be read.
  public init(path: String) throws(DatasetProblems) {
    self.path = path
    absolutePath = Self.absolute(path)
    var info = stat()
    guard stat(absolutePath, &info) == 0 else {
      if let files = try ShardPattern.files(of: absolutePath, shown: path) {
        self.files = files
        isFolder = false
        head = try Self.head(files[0], shown: path)
        return
      }
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "cannot be opened: \(errnoText())", remedy: "Check the path and its permissions"))
    }
    isFolder = info.st_mode & S_IFMT == S_IFDIR
    if isFolder {
      head = []
    } else {
      head = try Self.head(absolutePath, shown: path)
    }
    files = nil
  }

  private static func head(_ path: String, shown: String) throws(DatasetProblems) -> [UInt8] {
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DatasetProblems(
        DatasetProblem(file: shown, what: "cannot be read: \(errnoText())", remedy: "Check its permissions"))
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1024)
    let count = Foundation.read(descriptor, &bytes, bytes.count)
    return Array(bytes.prefix(max(0, count)))
  }

  /// The last part of the path, in lower case.
  var lowercasedName: String { URL(fileURLWithPath: absolutePath).lastPathComponent.lowercased() }

  /// The folder itself, or the folder that a file lies in.
  var folder: String {
    isFolder ? absolutePath : URL(fileURLWithPath: absolutePath).deletingLastPathComponent().path
  }

  /// Whether a folder holds something of that name.
  func has(_ relative: String) -> Bool {
    isFolder && access("\(absolutePath)/\(relative)", F_OK) == 0
  }

  /// Whether there is a folder at the path, also through a link.
  static func isFolder(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// The names in a folder, without the hidden ones, sorted; no more than `limit` are looked at.
  func names(limit: Int = 4096) -> [String] {
    guard isFolder, let folder = opendir(absolutePath) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while names.count < limit, let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      if let name, !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// Why a compressed or packed file cannot be read as it is.
  var refusal: DatasetProblem? {
    func starts(_ bytes: UInt8...) -> Bool { head.starts(with: bytes) }
    let name = lowercasedName
    if starts(0x1F, 0x8B), name.hasSuffix(".tar.gz") || name.hasSuffix(".tgz") {
      return DatasetProblem(
        file: path,
        what: "is a compressed tar file, in which images cannot be found without unpacking all before",
        remedy: "Decompress it once (gzip -dk \(quoted)) and import the .tar; images hardly shrink anyway")
    }
    if starts(0x50, 0x41, 0x52, 0x31) || holdsParquet {
      return DatasetProblem(
        file: path, what: "is Parquet, which is not read here",
        remedy:
          "Write its images to a folder once, with Python's `datasets`: see docs/formats.md, \"Parquet\"")
    }
    if starts(0x42, 0x5A, 0x68) || starts(0xFD, 0x37, 0x7A, 0x58, 0x5A) || starts(0x28, 0xB5, 0x2F, 0xFD) {
      return DatasetProblem(
        file: path, what: "is compressed with bzip2, xz or zstd",
        remedy: "Decompress it (bunzip2, unxz or unzstd) and import the result")
    }
    return nil
  }

  /// Whether a folder holds Parquet files and nothing else, at its top or in `data`, as Hugging Face keeps them.
  private var holdsParquet: Bool {
    guard isFolder else { return false }
    func holds(_ folder: DatasetSource) -> Bool {
      let names = folder.names(limit: 64)
      return names.contains { $0.hasSuffix(".parquet") }
        && !names.contains { DatasetSource.isFolder("\(folder.absolutePath)/\($0)") && $0 != "data" }
    }
    if holds(self) { return true }
    guard let data = try? DatasetSource(path: "\(absolutePath)/data") else { return false }
    return holds(data)
  }

  private var quoted: String { "'\(path.replacingOccurrences(of: "'", with: "'\\''"))'" }

  /// The path from the root of the file system; links stay as they are, since users know files by these names.
  static func absolute(_ path: String) -> String {
    // Compared as bytes: a combining character after a slash would hide the slash from Swift's characters.
    let slash = UInt8(ascii: "/")
    var bytes = Array(path.utf8)
    if bytes.first == UInt8(ascii: "~"), bytes.count == 1 || bytes[1] == slash {
      bytes.replaceSubrange(0..<1, with: NSHomeDirectory().utf8)
    }
    if bytes.first != slash {
      bytes.insert(contentsOf: (FileManager.default.currentDirectoryPath + "/").utf8, at: 0)
    }
    var parts: [String] = []
    for part in bytes.split(separator: slash).map({ String(decoding: $0, as: UTF8.self) }) where part != "." {
      // What lies above a link's target is not what lies above the link.
      if part == "..", let last = parts.last, last != "..", !isLink("/" + parts.joined(separator: "/")) {
        parts.removeLast()
      } else if part != ".." || !parts.isEmpty {
        parts.append(part)
      }
    }
    return "/" + parts.joined(separator: "/")
  }

  private static func isLink(_ path: String) -> Bool {
    var info = stat()
    return lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFLNK
  }

  /// The path from the root of the file system.
  public static func absolutePath(of path: String) -> String { absolute(path) }
}

/// The text of the last failure of a system call.
func errnoText() -> String { String(cString: strerror(errno)) }
