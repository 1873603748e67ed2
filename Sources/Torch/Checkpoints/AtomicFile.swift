import Foundation

/// Writing a file whole or not at all.
enum AtomicFile {
  /// Writes pieces to a new file beside `path`, flushes it to the disk and renames it to `path`.
  static func write(_ pieces: [Data], to path: String) throws(CheckpointFault) {
    let target = URL(fileURLWithPath: path)
    let folder = target.deletingLastPathComponent().path
    let temporary = "\(folder)/.\(target.lastPathComponent).\(UUID().uuidString)"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw fault("cannot be created") }
    do throws(CheckpointFault) {
      try fill(descriptor, with: pieces)
      guard rename(temporary, target.path) == 0 else { throw fault("cannot be put in place") }
    } catch {
      unlink(temporary)
      throw error
    }
    // The name lies in the folder, which has its own place on the disk. Not every file system can flush one.
    let folderDescriptor = open(folder, O_RDONLY | O_CLOEXEC)
    if folderDescriptor >= 0 {
      fsync(folderDescriptor)
      close(folderDescriptor)
    }
  }

  /// Writes the pieces, flushes them, and closes the descriptor whatever happens.
  private static func fill(_ descriptor: CInt, with pieces: [Data]) throws(CheckpointFault) {
    var failure: CheckpointFault?
    for piece in pieces where failure == nil {
      piece.withUnsafeBytes { buffer in
        var written = 0
        while written < buffer.count, failure == nil {
          let count = Foundation.write(
            descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
          if count >= 0 {
            written += count
          } else if errno != EINTR {
            failure = fault("cannot be written")
          }
        }
      }
    }
    if failure == nil, fsync(descriptor) != 0 { failure = fault("cannot be flushed to the disk") }
    if close(descriptor) != 0, failure == nil { failure = fault("cannot be closed") }
    if let failure { throw failure }
  }

  private static func fault(_ what: String) -> CheckpointFault {
    CheckpointFault(
      "\(what): \(String(cString: strerror(errno)))",
      remedy: "Check the folder, its permissions and the free space")
  }
}
