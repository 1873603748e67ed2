import Files
import Foundation

/// Holds a workspace's `lock` file, so that one process at a time runs stages that write. The system lets go
/// of it when the process ends, however it ends.
private struct WriteLock: ~Copyable {
  private let descriptor: CInt

  init(folder: String, stage: String, patience: Double) throws(WorkspaceError) {
    let path = "\(folder)/lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw .system(errno == ENOENT ? .removed : .cannotWrite, file: path, "cannot be opened")
    }
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
    // Only for the message to others who wait: a failure harms nothing.
    _ = pwrite(descriptor, text, text.utf8.count, 0)
  }

  deinit { close(descriptor) }

  /// Whether the file that is locked still has its name.
  func isNamed(_ folder: String) -> Bool {
    var own = stat()
    var named = stat()
    return fstat(descriptor, &own) == 0 && stat("\(folder)/lock", &named) == 0
      && own.st_ino == named.st_ino && own.st_dev == named.st_dev
  }

  private static func holder(_ path: String) -> String {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8), !text.isEmpty else { return "" }
    return " (\(text))"
  }
}

extension Workspace {
  /// Runs a stage that writes, while no other process does. Not within another such call, and `importSamples`
  /// makes one itself.
  ///
  /// - Parameter stage: For the message to others who have to wait, such as `embed`.
  /// - Throws: `WorkspaceError` of kind `locked` if another holds the lock after `patience`, of kind `removed` if
  ///   another removed the workspace; what `body` throws.
  package func withWriteLock<Value>(_ stage: String, _ body: () throws -> Value) throws -> Value {
    let lock = try lock(stage)
    let value = try body()
    _ = consume lock
    return value
  }

  /// The same for a stage that suspends.
  package func withWriteLock<Value>(
    _ stage: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
  ) async throws -> Value {
    let lock = try lock(stage)
    let value = try await body()
    _ = consume lock
    return value
  }

  private func lock(_ stage: String) throws -> WriteLock {
    guard !isReadOnly else { throw Self.readOnly(path) }
    let lock = try WriteLock(folder: path, stage: stage, patience: patience)
    guard lock.isNamed(path), try !isGone() else {
      throw WorkspaceError(
        .removed, file: path, "was removed by another process that had just made it",
        remedy: "Run the same command again")
    }
    removeLeftovers()
    return lock
  }

  /// Removes the temporary files of writers that were killed.
  private func removeLeftovers() {
    let files = FileManager.default
    sweepLeftovers(in: path)
    for part in ["features", "models", "scores", "review", "report"].map({ "\(path)/\($0)" }) {
      sweepLeftovers(in: part)
      for name in (try? files.contentsOfDirectory(atPath: part)) ?? [] {
        if name.hasPrefix(".") {
          // As earlier versions named theirs.
          if !name.hasPrefix(".cleannet-") { try? files.removeItem(atPath: "\(part)/\(name)") }
          continue
        }
        sweepLeftovers(in: "\(part)/\(name)")
        for old in (try? files.contentsOfDirectory(atPath: "\(part)/\(name)")) ?? []
        where old.hasPrefix(".") && !old.hasPrefix(".cleannet-") {
          try? files.removeItem(atPath: "\(part)/\(name)/\(old)")
        }
      }
    }
  }
}
