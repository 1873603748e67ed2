import Files
import Foundation

/// The facts by which formats recognize a source: its kind, its first bytes, the names in a folder.
package struct DatasetSource: Sendable {
  /// As the user wrote it, for messages.
  package let path: String
  package let absolutePath: String
  package let isFolder: Bool
  /// The first bytes of a file, or of the first of several, at most 1,024; empty for a folder.
  package let head: [UInt8]
  /// Where the content is read: the file itself, or for a pipe what came out of it, which is read once.
  package let contentPath: String
  private let spool: PipeSpool?
  /// The files, by absolute path, that a pattern such as `train-{000000..000127}.tar` or `shards/*.tar` stands for.
  package let files: [String]?

  /// - Throws: `DatasetProblems` if there is no such file or folder, a pattern's files are not all there, or it cannot
  ///   be read.
  package init(path: String) throws(DatasetProblems) {
    self.path = path
    absolutePath = path == "-" ? "/dev/stdin" : Self.absolute(path)
    var info = stat()
    guard stat(absolutePath, &info) == 0 else {
      spool = nil
      contentPath = absolutePath
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
    let isPipe = [S_IFIFO, S_IFCHR, S_IFSOCK].contains(info.st_mode & S_IFMT)
    spool = isPipe ? try PipeSpool.of(absolutePath, shown: path) : nil
    contentPath = spool?.path ?? absolutePath
    head = isFolder ? [] : try Self.head(contentPath, shown: path)
    files = nil
  }

  /// The names of tables at the top of a folder.
  func tables() -> [String] {
    names().filter { name in
      [".csv", ".tsv", ".jsonl", ".json", ".parquet"].contains { name.lowercased().hasSuffix($0) }
    }
  }

  /// Whether the first bytes are text, in UTF-8 or UTF-16.
  var looksLikeText: Bool {
    if head.isEmpty { return false }
    if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) { return true }
    return !head.contains { $0 < 0x20 && ![0x09, 0x0A, 0x0D, 0x0C].contains($0) }
      && (head.contains(UInt8(ascii: "\n")) || head.contains(UInt8(ascii: "\r")))
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

  /// The last part of the path, without what follows the first dot.
  package var stem: String {
    let name = absolutePath.parted(atLast: .slash)?.after ?? absolutePath
    return name.parted(atFirst: UInt8(ascii: "."))?.before ?? name
  }

  /// The folder itself, or the folder that a file lies in; for a pipe the current one.
  var folder: String {
    if spool != nil { return FileManager.default.currentDirectoryPath }
    return isFolder ? absolutePath : URL(fileURLWithPath: absolutePath).deletingLastPathComponent().path
  }

  /// The parts of the path of the folder itself, or of the folder that a file lies in.
  package var folderParts: [String] { folder.fields(at: .slash).filter { !$0.isEmpty } }

  /// Whether a folder holds something of that name.
  func has(_ relative: String) -> Bool {
    isFolder && access("\(absolutePath)/\(relative)", F_OK) == 0
  }

  /// Whether there is a folder at the path, also through a link.
  static func isFolder(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// The names in a folder, without the hidden ones, those of operating systems and workspaces, sorted; no more than
  /// `limit` are looked at.
  func names(limit: Int = 4096) -> [String] {
    guard isFolder, let folder = opendir(absolutePath) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while names.count < limit, let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      if let name, !JunkName.isJunk(name.utf8) { names.append(name) }
    }
    return names.filter { access("\(absolutePath)/\($0)/\(JunkName.catalogue)", F_OK) != 0 }.sorted()
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
    if starts(0x42, 0x5A, 0x68) || starts(0xFD, 0x37, 0x7A, 0x58, 0x5A) || starts(0x28, 0xB5, 0x2F, 0xFD) {
      return DatasetProblem(
        file: path, what: "is compressed with bzip2, xz or zstd",
        remedy: "Decompress it (bunzip2, unxz or unzstd) and import the result")
    }
    return foreign
  }

  /// A problem if the first bytes belong to a file that only other programs read, with the way to import it here.
  private var foreign: DatasetProblem? {
    func problem(_ what: String, _ remedy: String) -> DatasetProblem {
      DatasetProblem(file: path, what: what, remedy: remedy)
    }
    let toCSV = "Save its sheet as CSV (UTF-8), and import that"
    if isFolder {
      guard has("dataset_dict.json") || has("state.json") || has("dataset_info.json"), !has("data") else {
        return nil
      }
      let arrow = ["", "train/", "test/", "validation/"].contains { has("\($0)state.json") }
      guard arrow else { return nil }
      return problem(
        "holds a data set as Hugging Face's `save_to_disk` writes it (Arrow files)",
        "Write it as Parquet, which is read: datasets.load_from_disk(\"\(path)\")[\"train\"].to_parquet(\"train.parquet\")"
      )
    }
    let name = lowercasedName
    if ZipIndex.isOfficeDocument(head) {
      return problem("is a workbook of a spreadsheet program (Excel, LibreOffice)", toCSV)
    }
    if head.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) { return problem("is an old Excel workbook", toCSV) }
    let kinds: [(start: [UInt8], what: String, remedy: String)] = [
      (
        Array("ARROW1".utf8), "is an Arrow (Feather) file",
        "Write it as Parquet or CSV: pandas.read_feather(file).to_parquet(…)"
      ),
      (
        [0x89, 0x48, 0x44, 0x46], "is an HDF5 file",
        "Write its images to folders, a class each, or its features with numpy.save"
      ),
      (
        Array("SQLite format 3".utf8), "is an SQLite database",
        "Export its table as CSV: sqlite3 -csv -header FILE 'SELECT path, label FROM …'"
      ),
      (Array("Rar!".utf8), "is a RAR archive", "Unpack it (unrar x) and import the folder"),
      ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "is a 7z archive", "Unpack it (7z x) and import the folder"),
      (Array("%PDF".utf8), "is a PDF document", "Import the images that it was made of"),
      (
        [0x80, 0x02], "is a Python pickle, which may run code when it is read",
        "Write a CSV, JSON lines or numpy.save in Python"
      ),
      (
        [0x80, 0x03], "is a Python pickle, which may run code when it is read",
        "Write a CSV, JSON lines or numpy.save in Python"
      ),
      (
        [0x80, 0x04], "is a Python pickle, which may run code when it is read",
        "Write a CSV, JSON lines or numpy.save in Python"
      ),
      (
        [0x80, 0x05], "is a Python pickle, which may run code when it is read",
        "Write a CSV, JSON lines or numpy.save in Python"
      ),
      (
        [0x93] + Array("NUMPY".utf8), "is an array of NumPy",
        "Features come beside a manifest of keys and labels: --features \(quoted)"
      ),
    ]
    if let kind = kinds.first(where: { head.starts(with: $0.start) }) {
      return problem(kind.what, kind.remedy)
    }
    let text = String(
      decoding: head.drop { $0 == 0xEF || $0 == 0xBB || $0 == 0xBF || $0 <= 0x20 }.prefix(200), as: UTF8.self
    )
    .lowercased()
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") || text.hasPrefix("<table") {
      return problem("is HTML, which some programs write under the name .xls", toCSV)
    }
    if text.hasPrefix("<?xml") || text.hasPrefix("<annotation") {
      return problem(
        "is XML, as Pascal VOC and spreadsheet programs write it",
        "Write a CSV of path and label, or COCO's JSON, which is read")
    }
    if name.hasSuffix(".npz"), head.starts(with: zipSignature) {
      return problem(
        "holds arrays of NumPy",
        "Features come beside a manifest: --features \(quoted). Images in arrays: write them to folders, a class each, with Pillow"
      )
    }
    if name.hasSuffix(".tfrecord") || name.hasSuffix(".tfrecords") {
      return problem(
        "holds TensorFlow's records", "Write the images to folders, a class each, or as WebDataset")
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
    var parts: [String] = []
    for part in bytes.split(separator: slash).map({ String(decoding: $0, as: UTF8.self) }) where part != "." {
      // The folder above a link's target is not the folder above the link.
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
  package static func absolutePath(of path: String) -> String { absolute(path) }
}

/// The text of the last failure of a system call.
func errnoText() -> String { String(cString: strerror(errno)) }
