import Files
import Foundation

/// Writes the scores of one run, row by row in the samples' order: a folder with one `.npy` file per column, which gets
/// its name when all rows are there.
///
/// For one thread. An unfinished writer leaves nothing.
package final class ScoreWriter {
  private static let rowsHeld = 8192

  private let tree: DurableTree
  private let count: Int
  private var columns: [FileHandle] = []
  private var pending: [[UInt8]]
  private var written = 0

  /// - Parameter count: The number of rows that will follow.
  init(folder: String, count: Int) throws(WorkspaceError) {
    self.count = count
    tree = try WorkspaceError.translating { () throws(FileError) in try DurableTree(folder) }
    pending = ScoreRow.columns.map { NpyHeader(type: $0.type, shape: [count]).bytes }
    for column in ScoreRow.columns {
      let path = "\(tree.temporary)/\(column.name).npy"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw .system(file: path, "cannot be created") }
      columns.append(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
    }
  }

  package func append(_ row: ScoreRow) throws {
    row.append(to: &pending)
    written += 1
    if written % Self.rowsHeld == 0 { try flush() }
  }

  /// Flushes all rows to the disk and puts them in place of the old one.
  package func finish() throws {
    precondition(written == count, "\(written) of \(count) rows were written")
    try flush()
    try WorkspaceError.translating { () throws(FileError) in try tree.finish() }
  }

  private func flush() throws(WorkspaceError) {
    for (index, column) in columns.enumerated() {
      let outcome = pending[index].withUnsafeBytes { bytes in
        Result { () throws(WorkspaceError) in
          try writeAll(bytes, to: column.fileDescriptor, file: tree.path)
        }
      }
      try outcome.get()
      pending[index].removeAll(keepingCapacity: true)
    }
  }
}

/// Writes all bytes at the descriptor's place.
private func writeAll(
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
