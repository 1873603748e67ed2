import CSQLite
import Files
import Foundation
import GRDB
import GRDBSQLite

extension Workspace {
  static func configuration(patience: Double) -> Configuration {
    _ = understandsURIs
    var configuration = Configuration()
    configuration.busyMode = .timeout(patience)
    configuration.label = "catalogue"
    return configuration
  }

  /// Whether databases may be named with options; decided before the first is opened.
  private static let understandsURIs = csqlite_enable_uris() == SQLITE_OK

  static func missing(_ path: String) -> WorkspaceError {
    WorkspaceError(
      .notFound, file: path, "holds no workspace",
      remedy: "Start one with: cleannet import SOURCE --workspace \(path)")
  }

  static func readOnly(_ path: String) -> WorkspaceError {
    WorkspaceError(
      .cannotWrite, file: path, "may be read but not written",
      remedy: "Change its permissions, or work on a copy of it")
  }

  /// A catalogue that is gone, or cut to nothing, must not become a new workspace to which the features and models of the
  /// old one are leftovers.
  static func refuseRemains(of folder: String, because what: String) throws {
    for part in ["features", "models", "scores", "downloads"] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)")) ?? []
      guard names.contains(where: { !$0.hasPrefix(".") }) else { continue }
      throw WorkspaceError(
        .damaged, file: cataloguePath(folder), what,
        remedy: "Restore a copy of it, or move the folder \(folder) away and import again")
    }
  }

  /// Opens a catalogue whose folder may not be written; `nil` if it may.
  ///
  /// SQLite shares its log's index through a file that it must be able to make. Where another process has it open, it is
  /// there; where nobody does, nothing changes, and SQLite is told so; where a killed program left its log, which must be
  /// read too, both are copied.
  static func openForReading(_ folder: String) throws -> (any DatabaseWriter)? {
    let catalogue = cataloguePath(folder)
    guard access(folder, W_OK) != 0 || access(catalogue, W_OK) != 0 else { return nil }
    var settings = configuration(patience: 5)
    settings.readonly = true
    var log = stat()
    let hasLog = stat("\(catalogue)-wal", &log) == 0 && log.st_size > 0
    if hasLog, access("\(catalogue)-shm", R_OK) == 0,
      let pool = try? DatabasePool(path: catalogue, configuration: settings),
      (try? Schema.prepareForReading(pool, path: catalogue)) != nil
    {
      return pool
    }
    return try translating(catalogue) {
      let queue: DatabaseQueue
      if !hasLog, understandsURIs,
        let name = catalogue.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed)
      {
        queue = try DatabaseQueue(path: "file:\(name)?immutable=1", configuration: settings)
      } else {
        queue = try copied(catalogue, hasLog: hasLog)
      }
      try Schema.prepareForReading(queue, path: catalogue)
      return queue
    }
  }

  /// Opens a copy of the catalogue, which has no name any more once it is open.
  private static func copied(_ catalogue: String, hasLog: Bool) throws -> DatabaseQueue {
    let files = FileManager.default
    let folder = files.temporaryDirectory.appendingPathComponent("cleannet-\(UUID().uuidString)").path
    defer { try? files.removeItem(atPath: folder) }
    do {
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for end in hasLog ? ["", "-wal"] : [""] {
        try files.copyItem(atPath: catalogue + end, toPath: "\(folder)/catalogue.sqlite\(end)")
        chmod("\(folder)/catalogue.sqlite\(end)", 0o600)
      }
    } catch {
      throw WorkspaceError(
        .cannotWrite, file: catalogue, "cannot be copied to \(folder) to be read",
        remedy: "Set TMPDIR to a folder with room for it")
    }
    let queue = try DatabaseQueue(
      path: "\(folder)/catalogue.sqlite", configuration: configuration(patience: 5))
    // Takes the log in, so that the file alone is read from here on.
    try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
    return queue
  }

  /// Removes the workspace from the disk if there are no samples in it, and no other process has begun to fill it.
  package func removeIfEmpty() throws {
    try withWriteLock("import") {
      guard try sampleCount() == 0 else { return }
      try Self.alone(in: path, create: false) {
        try pool.close()
        // Whoever waits for the lock finds that the catalogue has gone, and makes a new one.
        for end in ["", "-wal", "-shm"] { unlink(catalogue + end) }
        unlink("\(path)/lock")
        // The images that a failed import had taken out of containers.
        try? FileManager.default.removeItem(atPath: downloadsFolder)
        // A folder that holds anything else stays.
        rmdir(path)
      }
    }
  }

  /// Runs `body` while no other process makes, opens or removes the workspace in that folder: tables are made once, and
  /// never in a folder that is about to go.
  ///
  /// - Parameter create: Makes the folder anew where another process has removed it meanwhile.
  static func alone<Value>(in folder: String, create: Bool, _ body: () throws -> Value) throws -> Value {
    while true {
      if create { try makeFolder(folder) }
      let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard descriptor >= 0 else { return try body() }
      // Also ends the lock.
      defer { close(descriptor) }
      while flock(descriptor, LOCK_EX) != 0 {
        // A file system without locks.
        guard errno == EINTR else { return try body() }
      }
      var held = stat()
      var named = stat()
      let isThere =
        fstat(descriptor, &held) == 0 && stat(folder, &named) == 0 && held.st_ino == named.st_ino
        && held.st_dev == named.st_dev
      if isThere || !create { return try body() }
    }
  }

  /// Whether the catalogue has no name any more: another process removed the empty workspace while this one waited.
  func isGone() throws -> Bool {
    try pool.unsafeRead { db in
      var moved: CInt = 0
      let code = sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
      return code == SQLITE_OK && moved != 0
    }
  }
}
