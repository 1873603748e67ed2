import Files
import Foundation

/// A `DurableFile` that says in a workspace's words what the disk refuses.
package struct AtomicFile: ~Copyable {
  private let file: DurableFile

  package init(path: String) throws(WorkspaceError) {
    file = try WorkspaceError.translating { () throws(FileError) in try DurableFile(path) }
  }

  package var path: String { file.path }
  /// The digest of everything written so far.
  package var digest: ContentDigest { file.digest }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(WorkspaceError) {
    try WorkspaceError.translating { () throws(FileError) in try file.write(bytes) }
  }

  package func write(_ bytes: [UInt8]) throws(WorkspaceError) {
    try WorkspaceError.translating { () throws(FileError) in try file.write(bytes) }
  }

  /// Flushes the bytes and gives the file its name.
  package consuming func finish() throws(WorkspaceError) {
    try WorkspaceError.translating { () throws(FileError) in try file.finish() }
  }

  /// Writes a file of some bytes.
  package static func write(_ data: Data, to path: String) throws(WorkspaceError) {
    try WorkspaceError.translating { () throws(FileError) in try DurableFile.write(data, to: path) }
  }
}

extension WorkspaceError {
  init(_ error: FileError) {
    self.init(.cannotWrite, file: error.file, error.what, remedy: FileError.remedy)
  }

  static func translating<Value>(
    _ body: () throws(FileError) -> Value
  ) throws(WorkspaceError) -> Value {
    do throws(FileError) { return try body() } catch { throw WorkspaceError(error) }
  }
}

/// Makes a folder and those above it.
func makeFolder(_ path: String) throws(WorkspaceError) {
  do throws(FileError) {
    try makeDurableFolder(path)
  } catch {
    throw WorkspaceError(
      .cannotWrite, file: path, error.what,
      remedy: "Check the path and its permissions, or name another folder with --workspace")
  }
}
