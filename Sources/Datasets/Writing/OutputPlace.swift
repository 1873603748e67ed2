import Files
import Foundation

/// A folder or file that appears under its name when all of it is there: until then it lies beside it, hidden. Once it
/// has its name it is on the disk.
///
/// A device or pipe that is there is written to, where files may be replaced.
final class OutputPlace {
  /// As the user wrote it.
  let path: String
  private let pending: PendingOutput

  /// Where it is written for the time being.
  var temporary: String { pending.temporary }
  /// Whether bytes go to what is there, rather than to a new file.
  var isWrittenThrough: Bool { pending.isWrittenThrough }
  /// The folders known to be there.
  private var folders: Set<String> = []

  /// - Parameter replacing: Whether a file that is there is replaced.
  /// - Throws: `DatasetProblems` if something is at the path that is not replaced.
  init(_ path: String, replacing: Bool = false) throws(DatasetProblems) {
    self.path = path
    let target = DatasetSource.absolute(path)
    guard replacing || access(target, F_OK) != 0 || rmdir(target) == 0 else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "cannot be created: it is there already",
          remedy: "Remove it, or name another with --out"))
    }
    pending = PendingOutput(target)
  }

  /// Makes the folder of a file below the place, and returns the file's path. An empty name is the place itself.
  func prepare(_ relative: String) throws(DatasetProblems) -> String {
    if relative.isEmpty { return temporary }
    // Names of splits and classes come from outside; none leads out of the place.
    guard relative.utf8.first != .slash, !relative.fields(at: .slash).contains("..") else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "would not hold \(relative.debugDescription), which leads out of it",
          remedy: "Rename the split or class when importing: --split NAME, --label-map FILE"))
    }
    let file = "\(temporary)/\(relative)"
    let folder = relative.parted(atLast: .slash)?.before ?? ""
    if !folders.contains(folder) {
      // By system calls, since Foundation would write names in another Unicode form.
      var made = temporary
      try make(made)
      for part in folder.fields(at: .slash) where !part.isEmpty {
        made += "/" + part
        try make(made)
      }
      folders.insert(folder)
    }
    return file
  }

  private func make(_ folder: String) throws(DatasetProblems) {
    guard mkdir(folder, 0o777) == 0 else {
      if errno == EEXIST { return }
      throw failure("cannot be created", folder)
    }
    if folder == temporary { try hold() }
  }

  /// Says that the folder or file is there and has a writer.
  fileprivate func hold() throws(DatasetProblems) {
    guard pending.hold() else { throw failure("cannot be created", path) }
  }

  /// Flushes all of it to the disk and gives the place its name.
  func finish() throws(DatasetProblems) {
    do throws(FileError) {
      try pending.finish()
    } catch {
      throw DatasetProblems(DatasetProblem(file: path, what: error.what, remedy: FileError.remedy))
    }
  }

  func failure(_ what: String, _ file: String) -> DatasetProblems {
    DatasetProblems(
      DatasetProblem(
        file: file.hasPrefix(temporary) ? path + file.dropFirst(temporary.count) : file,
        what: "\(what): \(errnoText())", remedy: "Check the path, its permissions and the free space"))
  }
}

/// A file that is written from front to back.
final class OutputFile {
  private let place: OutputPlace
  private let path: String
  private let descriptor: CInt
  private var pending: [UInt8] = []
  /// Bytes written so far.
  private(set) var count: Int64 = 0

  /// - Parameter relative: Below the place; empty for the place itself.
  init(_ place: OutputPlace, _ relative: String = "") throws(DatasetProblems) {
    self.place = place
    path = try place.prepare(relative)
    let isNew = !(place.isWrittenThrough && path == place.temporary)
    descriptor = open(path, O_WRONLY | O_CLOEXEC | (isNew ? O_CREAT | O_EXCL : 0), 0o666)
    guard descriptor >= 0 else { throw place.failure("cannot be created", path) }
    if isNew, path == place.temporary { try place.hold() }
  }

  deinit { Foundation.close(descriptor) }

  func write(_ text: String) throws(DatasetProblems) {
    pending.append(contentsOf: text.utf8)
    try flush(above: 1 << 16)
  }

  func write(_ bytes: some Collection<UInt8>) throws(DatasetProblems) {
    pending.append(contentsOf: bytes)
    try flush(above: 1 << 16)
  }

  private func flush(above limit: Int) throws(DatasetProblems) {
    guard pending.count > limit else { return }
    var written = 0
    while written < pending.count {
      let got = pending.withUnsafeBytes { bytes in
        Foundation.write(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
      }
      if got >= 0 {
        written += got
      } else if errno != EINTR {
        throw place.failure("cannot be written", path)
      }
    }
    count += Int64(pending.count)
    pending.removeAll(keepingCapacity: true)
  }

  /// Where the next byte goes.
  var position: Int64 { count + Int64(pending.count) }

  /// Writes what is left, and some bytes that were not known before at an earlier place.
  func finish(replacing bytes: some Collection<UInt8>, at offset: Int64) throws(DatasetProblems) {
    try flush(above: 0)
    let array = Array(bytes)
    guard pwrite(descriptor, array, array.count, off_t(offset)) == array.count else {
      throw place.failure("cannot be written", path)
    }
    try finish()
  }

  /// Writes what is left. It reaches the disk when the place is finished: a folder's many files all at once, since one
  /// flush each would cost more than all else.
  func finish() throws(DatasetProblems) { try flush(above: 0) }
}
