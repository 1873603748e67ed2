import Foundation

/// Holds a workspace's `lock` file, so that one process at a time runs stages that write. The system lets go
/// of it when the process ends, however it ends.
private struct WriteLock: ~Copyable {
  private let descriptor: CInt

  init(folder: String, stage: String, patience: Double) throws(WorkspaceError) {
    let path = "\(folder)/lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system(file: path, "cannot be opened") }
    let end = Date.now.addingTimeInterval(patience)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        let error = WorkspaceError.system(file: path, "cannot be locked")
        close(descriptor)
        throw error
      }
      guard Date.now < end else {
        let holder = Self.holder(path)
        close(descriptor)
        throw WorkspaceError(
          .locked, file: folder, "is being written by another process\(holder)",
          remedy: "Wait for it to finish, or stop it")
      }
      usleep(50_000)
    }
    let text = "process \(ProcessInfo.processInfo.processIdentifier), \(stage)"
    ftruncate(descriptor, 0)
    // Only for the message of those who wait: a failure harms nothing.
    _ = pwrite(descriptor, text, text.utf8.count, 0)
  }

  deinit { close(descriptor) }

  private static func holder(_ path: String) -> String {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8), !text.isEmpty else { return "" }
    return " (\(text))"
  }
}

extension Workspace {
  /// Runs a stage that writes, while no other process does. Not within another such call, and `importSamples`
  /// makes one itself.
  ///
  /// - Parameter stage: For the message to those who have to wait, such as `embed`.
  /// - Throws: `WorkspaceError` of kind `locked` if another holds the lock after `patience`; what
  ///   `body` throws.
  public func withWriteLock<Value>(_ stage: String, _ body: () throws -> Value) throws -> Value {
    let lock = try WriteLock(folder: path, stage: stage, patience: patience)
    removeLeftovers()
    let value = try body()
    _ = consume lock
    return value
  }

  /// The same for a stage that suspends.
  public func withWriteLock<Value>(
    _ stage: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
  ) async throws -> Value {
    let lock = try WriteLock(folder: path, stage: stage, patience: patience)
    removeLeftovers()
    let value = try await body()
    _ = consume lock
    return value
  }

  /// Removes the temporary files of writers that were killed; they begin with a dot.
  private func removeLeftovers() {
    let files = FileManager.default
    func names(_ folder: String) -> [String] {
      ((try? files.contentsOfDirectory(atPath: folder)) ?? []).map { "\(folder)/\($0)" }
    }
    let folders = ["features", "models", "scores"].map { "\(path)/\($0)" }
    for entry in (folders + folders.flatMap(names)).flatMap(names) {
      if URL(fileURLWithPath: entry).lastPathComponent.hasPrefix(".") { try? files.removeItem(atPath: entry) }
    }
  }
}
