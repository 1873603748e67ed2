import Foundation

/// A file that is written whole or not at all: bytes go to a temporary file beside it, which is flushed to
/// the disk and renamed when all are there.
///
/// `Torch` has one of its own, since it stands apart from the modules that know of files.
public struct AtomicFile: ~Copyable {
  public let path: String
  private let temporary: String
  private let descriptor: CInt
  private var finished = false

  public init(path: String) throws(WorkspaceError) {
    self.path = path
    let url = URL(fileURLWithPath: path)
    temporary = "\(url.deletingLastPathComponent().path)/.\(url.lastPathComponent).\(UUID().uuidString)"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      finished = true
      throw .system(file: path, "cannot be created")
    }
  }

  deinit {
    if !finished {
      close(descriptor)
      unlink(temporary)
    }
  }

  public func write(_ bytes: UnsafeRawBufferPointer) throws(WorkspaceError) {
    try writeAll(bytes, to: descriptor, file: path)
  }

  public func write(_ bytes: [UInt8]) throws(WorkspaceError) {
    let outcome = bytes.withUnsafeBytes { buffer in
      Result { () throws(WorkspaceError) in try writeAll(buffer, to: descriptor, file: path) }
    }
    try outcome.get()
  }

  /// Flushes the bytes and gives the file its name.
  public consuming func finish() throws(WorkspaceError) {
    guard fsync(descriptor) == 0 else { throw .system(file: path, "cannot be flushed to the disk") }
    guard rename(temporary, path) == 0 else { throw .system(file: path, "cannot be put in place") }
    finished = true
    close(descriptor)
    flushFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
  }

  /// Writes a file of some bytes.
  public static func write(_ data: Data, to path: String) throws(WorkspaceError) {
    let file = try AtomicFile(path: path)
    let outcome: Result<Void, WorkspaceError> = data.withUnsafeBytes { bytes in
      Result { () throws(WorkspaceError) in try writeAll(bytes, to: file.descriptor, file: path) }
    }
    try outcome.get()
    try file.finish()
  }
}

/// Writes all bytes at the descriptor's place.
func writeAll(
  _ bytes: UnsafeRawBufferPointer, to descriptor: CInt, file: String
) throws(WorkspaceError) {
  var written = 0
  while written < bytes.count {
    let count = Foundation.write(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
    if count >= 0 {
      written += count
    } else if errno != EINTR {
      throw .system(file: file, "cannot be written")
    }
  }
}

/// Flushes a folder's names to the disk. Not every file system can; the files' content is safe either way.
func flushFolder(_ path: String) {
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}

/// Makes a folder and those above it.
func makeFolder(_ path: String) throws(WorkspaceError) {
  do {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  } catch {
    throw WorkspaceError(
      .cannotWrite, file: path, "cannot be created: \(error.localizedDescription)",
      remedy: "Check the path and its permissions, or name another folder with --workspace")
  }
}
