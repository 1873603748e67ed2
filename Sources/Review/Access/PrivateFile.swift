import Files
import Foundation
import Workspace

/// Files that only their owner may read.
enum PrivateFile {
  /// Writes a file completely or not at all.
  ///
  /// - Throws: `WorkspaceError` if the disk refuses.
  static func write(_ data: Data, to path: String) throws {
    do {
      try makeDurableFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
      let file = try DurableFile(path, permissions: 0o600)
      try file.write(data)
      try file.finish()
    } catch let error as FileError {
      throw WorkspaceError(.cannotWrite, file: path, error.what, remedy: FileError.remedy)
    }
  }
}
