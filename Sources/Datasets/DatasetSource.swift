import Foundation

/// What formats judge a source by: its kind, its first bytes, the names in a folder.
public struct DatasetSource: Sendable {
  /// As the user wrote it, for messages.
  public let path: String
  public let absolutePath: String
  public let isFolder: Bool
  /// The first bytes of a file, at most 1,024; empty for a folder.
  public let head: [UInt8]

  /// - Throws: `DatasetProblems` if there is no such file or folder or it cannot be read.
  public init(path: String) throws(DatasetProblems) {
    self.path = path
    absolutePath = Self.absolute(path)
    var info = stat()
    guard stat(absolutePath, &info) == 0 else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "cannot be opened: \(errnoText())", remedy: "Check the path and its permissions"))
    }
    isFolder = info.st_mode & S_IFMT == S_IFDIR
    if isFolder {
      head = []
    } else {
      let descriptor = Foundation.open(absolutePath, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        throw DatasetProblems(
          DatasetProblem(
            file: path, what: "cannot be read: \(errnoText())", remedy: "Check its permissions"))
      }
      defer { close(descriptor) }
      var bytes = [UInt8](repeating: 0, count: 1024)
      let count = Foundation.read(descriptor, &bytes, bytes.count)
      head = Array(bytes.prefix(max(0, count)))
    }
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
    if starts(0x50, 0x4B, 0x03, 0x04) {
      return DatasetProblem(
        file: path, what: "is a zip file", remedy: "Unpack it (unzip \(quoted)) and import the folder")
    }
    if starts(0x42, 0x5A, 0x68) || starts(0xFD, 0x37, 0x7A, 0x58, 0x5A) || starts(0x28, 0xB5, 0x2F, 0xFD) {
      return DatasetProblem(
        file: path, what: "is compressed with bzip2, xz or zstd",
        remedy: "Decompress it (bunzip2, unxz or unzstd) and import the result")
    }
    return nil
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
    let parts = bytes.split(separator: slash).map { String(decoding: $0, as: UTF8.self) }.filter { $0 != "." }
    return "/" + parts.joined(separator: "/")
  }
}

/// The text of the last failure of a system call.
func errnoText() -> String { String(cString: strerror(errno)) }
