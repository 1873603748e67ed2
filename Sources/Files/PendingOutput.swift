import Foundation

/// A folder or a file that somebody else writes under a temporary path, and that appears under its name when `finish` is
/// called; see ``DurableTree`` and ``DurableFile``.
///
/// For one thread. An unfinished output leaves nothing; leftovers of a killed writer are removed by the next one.
package final class PendingOutput {
  private let target: String
  private let partial: PartialName?
  private var isFinished = false

  /// Where it is written for the time being. Not there yet.
  package let temporary: String
  /// Whether the path is a device or a pipe, which is written to as it is.
  package var isWrittenThrough: Bool { partial == nil }

  package init(_ path: String) {
    let isWrittenThrough = DurableFile.isWrittenThrough(path)
    target = isWrittenThrough ? path : DurableFile.resolved(path)
    let partial = isWrittenThrough ? nil : PartialName(beside: target)
    self.partial = partial
    temporary = partial?.path ?? path
  }

  deinit {
    if !isFinished, partial != nil { try? FileManager.default.removeItem(atPath: temporary) }
  }

  /// Says that the temporary path was just made. `false` if it is gone again, since another program removed it.
  package func hold() -> Bool { partial?.hold() ?? true }

  /// Flushes all of it to the disk and gives it its name.
  package func finish() throws(FileError) {
    guard partial != nil else { return }
    var info = stat()
    guard lstat(temporary, &info) == 0 else { throw .system(target, "cannot be put in place") }
    if info.st_mode & S_IFMT == S_IFDIR {
      try flushFileSystem(of: temporary, named: target)
    } else {
      let descriptor = open(temporary, O_RDONLY | O_CLOEXEC)
      defer { close(descriptor) }
      guard descriptor >= 0, fsync(descriptor) == 0 else {
        throw .system(target, "cannot be flushed to the disk")
      }
    }
    guard rename(temporary, target) == 0 else { throw .system(target, "cannot be put in place") }
    isFinished = true
    try flushFolder(PartialName.parts(target).folder)
  }
}
