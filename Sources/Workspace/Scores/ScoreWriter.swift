import Foundation

/// Writes the scores of one run, row by row in the samples' order: a folder with a `.npy` file a column,
/// which gets its name when all rows are there.
///
/// For one thread. An unfinished writer leaves nothing.
public final class ScoreWriter {
  private static let rowsHeld = 8192

  private let folder: String
  private let temporary: String
  private let count: Int
  private var descriptors: [CInt] = []
  private var pending: [[UInt8]]
  private var written = 0
  private var finished = false

  /// - Parameter count: The number of rows that will follow.
  init(folder: String, count: Int) throws(WorkspaceError) {
    self.folder = folder
    self.count = count
    let url = URL(fileURLWithPath: folder)
    temporary = "\(url.deletingLastPathComponent().path)/.\(url.lastPathComponent).\(UUID().uuidString)"
    pending = ScoreRow.columns.map { NpyHeader(type: $0.type, shape: [count]).bytes }
    try makeFolder(temporary)
    for column in ScoreRow.columns {
      let path = "\(temporary)/\(column.name).npy"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw .system(file: path, "cannot be created") }
      descriptors.append(descriptor)
    }
  }

  deinit {
    for descriptor in descriptors { close(descriptor) }
    if !finished { try? FileManager.default.removeItem(atPath: temporary) }
  }

  public func append(_ row: ScoreRow) throws {
    row.append(to: &pending)
    written += 1
    if written % Self.rowsHeld == 0 { try flush() }
  }

  /// Flushes all rows to the disk and puts them in place of what was there.
  public func finish() throws {
    precondition(written == count, "\(written) of \(count) rows were written")
    try flush()
    for descriptor in descriptors where fsync(descriptor) != 0 {
      throw WorkspaceError.system(file: folder, "cannot be flushed to the disk")
    }
    flushFolder(temporary)
    // A folder cannot be renamed over another that holds files, so the old one steps aside first.
    // A kill between the two leaves neither, and scoring does it again.
    let old = "\(temporary).old"
    let hadOld = rename(folder, old) == 0
    guard rename(temporary, folder) == 0 else {
      throw WorkspaceError.system(file: folder, "cannot be put in place")
    }
    finished = true
    flushFolder(URL(fileURLWithPath: folder).deletingLastPathComponent().path)
    if hadOld { try? FileManager.default.removeItem(atPath: old) }
  }

  private func flush() throws(WorkspaceError) {
    for index in descriptors.indices {
      let outcome = pending[index].withUnsafeBytes { bytes in
        Result { () throws(WorkspaceError) in try writeAll(bytes, to: descriptors[index], file: folder) }
      }
      try outcome.get()
      pending[index].removeAll(keepingCapacity: true)
    }
  }
}
