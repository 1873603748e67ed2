import Files
import Foundation
import GRDB

/// A workspace on disk: a folder with a catalogue of samples, verification labels and runs, with feature
/// shards, models and scores.
///
/// ``` catalogue.sqlite       samples, verification labels, runs, problems, digests of files (SQLite, write-ahead log)
/// features/<key>/        NNNNN.npy, 4,096 rows each, and features.json models/<key>/          what training leaves
/// scores/<key>/          one .npy file per column downloads/             images that were named by an address, and
/// downloads.jsonl: what became of each lock                   held by the process that writes
/// ```
///
/// Everything is written completely or not at all: files through a temporary one that is renamed, rows in transactions.
/// A process may be killed at any moment.
///
/// The object is safe to use from all threads at once: reads of the catalogue run side by side, each on a
/// snapshot, and writes one after the other. Stages that write files take `withWriteLock` around their work;
/// reading, and single verification labels, need no lock. A workspace that may not be written, on read-only media or
/// of somebody else, is opened for reading.
public final class Workspace: Sendable {
  public let path: String
  /// How long to wait for another process, in seconds.
  let patience: Double
  /// How long a person's answer waits for another process, such as a large import, in seconds.
  static let answerPatience = 300.0
  /// All changes go through it.
  let pool: any DatabaseWriter
  /// The source of all reading: the pool, or one state of the catalogue.
  private let reader: any DatabaseReader
  public let isReadOnly: Bool
  private let isSnapshot: Bool

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
      guard create else { throw Self.missing(path) }
      try Self.refuseRemains(
        of: self.path, because: "is missing, although other files of the workspace are there")
      try makeFolder(self.path)
    }
    if !create, let pool = try Self.openForReading(self.path) {
      self.pool = pool
      reader = pool
      isReadOnly = true
      isSnapshot = false
      return
    }
    let folder = self.path
    let pool = try Self.alone(in: folder, create: create) {
      try Self.translating(catalogue) {
        let pool = try DatabasePool(path: catalogue, configuration: Self.configuration(patience: patience))
        try Schema.prepare(pool, path: catalogue) {
          try Self.refuseRemains(
            of: folder, because: "is empty, although other files of the workspace are there")
          if !create { throw Self.missing(path) }
        }
        // A verdict that was acknowledged survives a loss of power. Writes are few and large otherwise.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        return pool
      }
    }
    self.pool = pool
    reader = pool
    isReadOnly = false
    isSnapshot = false
  }

  private init(reading reader: any DatabaseReader, of workspace: Workspace) {
    path = workspace.path
    patience = workspace.patience
    pool = workspace.pool
    self.reader = reader
    isReadOnly = workspace.isReadOnly
    isSnapshot = true
  }

  /// The workspace with a catalogue that stays as it is now, whatever others write: all that is read through it belongs
  /// together. Changes made through it are real, and it does not see them.
  public func snapshot() throws -> Workspace {
    guard !isSnapshot, let pool = pool as? DatabasePool else { return self }
    return Workspace(reading: try Self.translating(catalogue) { try pool.makeSnapshot() }, of: self)
  }

  /// Whether a folder holds a workspace.
  public static func exists(at path: String) -> Bool {
    FileManager.default.fileExists(atPath: cataloguePath(path))
  }

  static func cataloguePath(_ path: String) -> String { "\(path)/catalogue.sqlite" }

  var catalogue: String { Self.cataloguePath(path) }

  /// The folder for the model of that key. It may not exist yet.
  package func modelFolder(key: String) -> String { "\(path)/models/\(key)" }

  /// Reads the catalogue on a snapshot.
  func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try Self.translating(catalogue) { try reader.read(body) }
  }

  /// Changes the catalogue in one transaction.
  func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
    guard !isReadOnly else { throw Self.readOnly(path) }
    return try Self.translating(catalogue) { try pool.write(body) }
  }

  /// Reads the whole catalogue and checks it. Takes as long as reading the file.
  ///
  /// - Throws: `WorkspaceError` if it is damaged.
  package func check() throws {
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

  static func damage(_ file: String, _ text: String) -> WorkspaceError {
    WorkspaceError(
      .damaged, file: file, "is damaged: \(text)",
      remedy: "Restore a copy of it; or save what is left (sqlite3 FILE .recover), move the workspace away "
        + "and import again")
  }
}
