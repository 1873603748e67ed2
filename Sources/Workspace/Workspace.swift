import Foundation
import GRDB

/// What is kept on disk: a folder with a catalogue of samples, verification labels and runs, with feature
/// shards, models and scores.
///
/// ```
/// catalogue.sqlite       samples, verification labels, runs, problems (SQLite, write-ahead log)
/// features/<key>/        NNNNN.npy, 4,096 rows each, and features.json
/// models/<key>/          what training leaves
/// scores/<key>/          a .npy file a column
/// downloads/             images that were named by an address, and downloads.jsonl: what became of each
/// lock                   held by the process that writes
/// ```
///
/// Everything is written whole or not at all: files through a temporary one that is renamed, rows in
/// transactions. A process may be killed at any moment.
///
/// The object is safe to use from all threads at once: reads of the catalogue run side by side, each on a
/// snapshot, and writes one after the other. Stages that write files take `withWriteLock` around their work;
/// reading, and single verification labels, need no lock.
public final class Workspace: Sendable {
  public let path: String
  /// How long to wait for another process, in seconds.
  let patience: Double
  let pool: DatabasePool

  /// Opens the workspace in a folder.
  ///
  /// - Parameters:
  ///   - create: Makes the folder and an empty workspace if there is none.
  ///   - patience: How long to wait for another process that writes, in seconds.
  /// - Throws: `WorkspaceError` if there is none, a newer program wrote it, it is damaged, or cannot be
  ///   written.
  public init(path: String, create: Bool = false, patience: Double = 5) throws {
    self.path = URL(fileURLWithPath: path).path
    self.patience = patience
    let catalogue = Self.cataloguePath(self.path)
    if !FileManager.default.fileExists(atPath: catalogue) {
      guard create else {
        throw WorkspaceError(
          .notFound, file: path, "holds no workspace",
          remedy: "Start one with: cleannet import SOURCE --workspace \(path)")
      }
      try makeFolder(self.path)
    }
    var configuration = Configuration()
    configuration.busyMode = .timeout(patience)
    configuration.label = "catalogue"
    pool = try Self.translating(catalogue) {
      let pool = try DatabasePool(path: catalogue, configuration: configuration)
      try Schema.prepare(pool, path: catalogue)
      // A verdict that was acknowledged survives a loss of power. Writes are few and large otherwise.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
      return pool
    }
  }

  /// Removes the workspace from the disk if there are no samples in it; nothing else may use it, now or later.
  public func removeIfEmpty() throws {
    guard try sampleCount() == 0 else { return }
    try pool.close()
    for end in ["", "-wal", "-shm"] { unlink(catalogue + end) }
    unlink("\(path)/lock")
    // What a failed import had taken out of containers.
    try? FileManager.default.removeItem(atPath: downloadsFolder)
    // A folder that holds anything else stays.
    rmdir(path)
  }

  /// Whether a folder holds a workspace.
  public static func exists(at path: String) -> Bool {
    FileManager.default.fileExists(atPath: cataloguePath(path))
  }

  private static func cataloguePath(_ path: String) -> String { "\(path)/catalogue.sqlite" }

  var catalogue: String { Self.cataloguePath(path) }

  /// The folder for the model of that key. It may not exist yet.
  public func modelFolder(key: String) -> String { "\(path)/models/\(key)" }

  /// Reads the catalogue on a snapshot.
  func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try Self.translating(catalogue) { try pool.read(body) }
  }

  /// Changes the catalogue in one transaction.
  func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try Self.translating(catalogue) { try pool.write(body) }
  }

  /// Reads the whole catalogue and checks it. Takes as long as reading the file.
  ///
  /// - Throws: `WorkspaceError` if it is damaged.
  public func check() throws {
    let findings = try read { try String.fetchAll($0, sql: "PRAGMA quick_check(5)") }
    if findings != ["ok"] { throw Self.damage(catalogue, findings.joined(separator: "; ")) }
  }

  /// Runs `body`, and says in the workspace's words what the database refuses.
  static func translating<Value>(_ file: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as DatabaseError {
      let text = error.message ?? "SQLite error \(error.resultCode.rawValue)"
      switch error.resultCode {
      case .SQLITE_CORRUPT, .SQLITE_NOTADB:
        throw damage(file, text)
      case .SQLITE_BUSY, .SQLITE_LOCKED:
        throw WorkspaceError(
          .locked, file: file, "is being written by another process",
          remedy: "Wait for it to finish, or stop it")
      case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_PERM, .SQLITE_AUTH:
        throw WorkspaceError(
          .cannotWrite, file: file, "cannot be used: \(text)",
          remedy: "Check the folder, its permissions and the free space")
      default:
        throw error
      }
    }
  }

  private static func damage(_ file: String, _ text: String) -> WorkspaceError {
    WorkspaceError(
      .damaged, file: file, "is damaged: \(text)",
      remedy: "Restore a copy of it; or save what is left (sqlite3 FILE .recover), move the workspace away "
        + "and import again")
  }
}
