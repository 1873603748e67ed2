import Foundation
import Workspace

/// Files that only their owner may read.
enum PrivateFile {
  /// Writes a file whole or not at all.
  ///
  /// - Throws: `WorkspaceError` if the disk refuses.
  static func write(_ data: Data, to path: String) throws {
    let files = FileManager.default
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let temporary = "\(folder)/.\(UUID().uuidString)"
    try? files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let isWritten = files.createFile(
      atPath: temporary, contents: data, attributes: [.posixPermissions: 0o600])
    guard isWritten, rename(temporary, path) == 0 else {
      unlink(temporary)
      throw WorkspaceError(
        .cannotWrite, file: path, "cannot be written",
        remedy: "Check the folder, its permissions and the free space")
    }
  }
}
