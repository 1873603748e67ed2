import CFiles
import Foundation

/// A folder with all that is in it, which appears completely or not at all and is on the disk when `finish` returns.
///
/// Until then it lies beside its place under a hidden name. Its files are flushed together, by one call for the whole
/// file system, since a flush for each of a hundred thousand would cost more than all else.
///
/// For one thread. A writer that is not finished leaves nothing; what a killed one leaves, the next one removes.
package final class DurableTree {
  /// As named.
  package let path: String
  private let target: String
  private let partial: PartialName
  private var isFinished = false

  /// Where files are written for the time being.
  package var temporary: String { partial.path }

  /// - Throws: ``FileError`` if it cannot be created.
  package init(_ path: String) throws(FileError) {
    self.path = path
    target = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    for _ in 0..<8 {
      let partial = PartialName(beside: target)
      guard mkdir(partial.path, 0o777) == 0 else { throw .system(path, "cannot be created") }
      if partial.hold() {
        self.partial = partial
        return
      }
    }
    throw FileError(file: path, what: "cannot be created: another program removes its files", code: EAGAIN)
  }

  deinit { if !isFinished { try? FileManager.default.removeItem(atPath: temporary) } }

  /// Flushes all files and gives the folder its name, in place of the old one.
  package func finish() throws(FileError) {
    try flushFileSystem(of: temporary, named: path)
    // Swaps the two, so that there is one at any moment.
    if cfiles_exchange(temporary, target) == 0 {
      isFinished = true
      try flushFolder(PartialName.parts(target).folder)
      try? FileManager.default.removeItem(atPath: temporary)
      return
    }
    if errno != ENOENT {
      // A file system that cannot swap. A kill between the two calls leaves neither.
      try? FileManager.default.removeItem(atPath: target)
    }
    guard rename(temporary, target) == 0 else { throw .system(path, "cannot be put in place") }
    isFinished = true
    try flushFolder(PartialName.parts(target).folder)
  }
}

/// Flushes all files of the file system that a path lies in.
func flushFileSystem(of path: String, named name: String) throws(FileError) {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .system(name, "cannot be opened") }
  defer { close(descriptor) }
  guard cfiles_syncfs(descriptor) == 0 else { throw .system(name, "cannot be flushed to the disk") }
}
