import Foundation

/// A file that is written completely or not at all, and is on the disk when `finish` returns.
///
/// Bytes go to a temporary file beside it, which is flushed and renamed, and then the folder is flushed. A link's target
/// is replaced, not the link; a file keeps its permissions. Devices, pipes and what lies below `/dev` and `/proc` are
/// written straight through, since there is nothing to put in their place; `/dev/shm` is a disk in memory like any other.
///
/// For one thread. A writer that is not finished leaves nothing; what a killed one leaves, the next one removes.
package final class DurableFile {
  /// As named.
  package let path: String
  private let target: String
  /// nil: written straight through.
  private let partial: PartialName?
  private let descriptor: CInt
  private var isFinished = false
  /// The digest of everything that was written in order.
  package private(set) var digest = ContentDigest()

  /// - Parameter permissions: Of a new file.
  /// - Throws: ``FileError`` if it cannot be created.
  package init(_ path: String, permissions: mode_t = 0o666) throws(FileError) {
    self.path = path
    if Self.isWrittenThrough(path) {
      target = path
      partial = nil
      descriptor = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC)
      guard descriptor >= 0 else { throw .system(path, "cannot be opened") }
      return
    }
    target = Self.resolved(path)
    for _ in 0..<8 {
      let partial = PartialName(beside: target)
      let created = open(partial.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, permissions)
      guard created >= 0 else { throw .system(path, "cannot be created") }
      if partial.hold() {
        self.partial = partial
        descriptor = created
        return
      }
      close(created)
    }
    throw FileError(file: path, what: "cannot be created: another program removes its files", code: EAGAIN)
  }

  deinit {
    close(descriptor)
    if !isFinished, let partial { unlink(partial.path) }
  }

  /// Whether a path is a device, a pipe, a socket, or a descriptor's name.
  package static func isWrittenThrough(_ path: String) -> Bool {
    if path.hasPrefix("/proc/") || path.hasPrefix("/dev/") && !path.hasPrefix("/dev/shm/") { return true }
    var info = stat()
    guard stat(path, &info) == 0 else { return false }
    return ![S_IFREG, S_IFDIR].contains(info.st_mode & S_IFMT)
  }

  /// Where a link leads in the end, also one that leads to nothing yet.
  static func resolved(_ path: String) -> String {
    var path = path
    for _ in 0..<40 {
      guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { return path }
      path = next.hasPrefix("/") ? next : "\(PartialName.parts(path).folder)/\(next)"
    }
    return path
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    digest.update(bytes)
    var written = 0
    while written < bytes.count {
      let count = Foundation.write(
        descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
      if count >= 0 {
        written += count
      } else if errno != EINTR {
        throw .system(path, "cannot be written")
      }
    }
  }

  package func write(_ bytes: [UInt8]) throws(FileError) {
    let outcome = bytes.withUnsafeBytes { buffer in
      Result { () throws(FileError) in try write(buffer) }
    }
    try outcome.get()
  }

  package func write(_ data: Data) throws(FileError) {
    let outcome = data.withUnsafeBytes { buffer in
      Result { () throws(FileError) in try write(buffer) }
    }
    try outcome.get()
  }

  /// Writes over what is there already; `digest` does not know of it.
  package func replace(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
      throw .system(path, "cannot be written")
    }
  }

  /// Flushes the bytes, gives the file its name, and flushes that.
  package func finish() throws(FileError) {
    guard let partial else {
      isFinished = true
      return
    }
    var info = stat()
    if stat(target, &info) == 0 { fchmod(descriptor, info.st_mode & 0o7777) }
    guard fsync(descriptor) == 0 else { throw .system(path, "cannot be flushed to the disk") }
    guard rename(partial.path, target) == 0 else { throw .system(path, "cannot be put in place") }
    isFinished = true
    try flushFolder(PartialName.parts(target).folder)
  }

  /// Writes a file of some bytes.
  package static func write(_ data: Data, to path: String) throws(FileError) {
    let file = try DurableFile(path)
    try file.write(data)
    try file.finish()
  }
}

/// Flushes a folder's names to the disk. Not every file system can; the others need not.
package func flushFolder(_ path: String) throws(FileError) {
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  defer { close(descriptor) }
  guard fsync(descriptor) != 0, errno == EIO || errno == ENOSPC || errno == EDQUOT else { return }
  throw .system(path, "cannot be flushed to the disk")
}

/// Makes a folder and those above it, and flushes the names of new ones to the disk.
package func makeDurableFolder(_ path: String) throws(FileError) {
  if mkdir(path, 0o777) == 0 { return try flushFolder(PartialName.parts(path).folder) }
  let code = errno
  var info = stat()
  if stat(path, &info) == 0 {
    if info.st_mode & S_IFMT == S_IFDIR { return }
    throw .system(path, "cannot be made a folder", code: ENOTDIR)
  }
  let above = PartialName.parts(path).folder
  guard code == ENOENT, above != path, above != "." else {
    throw .system(path, "cannot be created", code: code)
  }
  try makeDurableFolder(above)
  guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw .system(path, "cannot be created") }
  try flushFolder(above)
}
