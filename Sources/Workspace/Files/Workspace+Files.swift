import Files
import Foundation
import GRDB
import Synchronization

/// A file of the workspace and the digest of its content.
package struct FileDigest: Sendable, Hashable {
  /// Below the workspace.
  package var path: String
  package var digest: String
}

extension Workspace {
  /// Reads some files and takes their digests, to be kept with the run that left them.
  ///
  /// - Parameter paths: Below the workspace; a folder stands for the files in it.
  package func digests(of paths: [String]) throws -> [FileDigest] {
    try paths.flatMap(files(at:)).map { path in
      FileDigest(path: path, digest: try Self.digest("\(self.path)/\(path)"))
    }
  }

  /// The files that a path stands for, by name; none if there is nothing.
  private func files(at path: String) -> [String] {
    var info = stat()
    guard stat("\(self.path)/\(path)", &info) == 0 else { return [] }
    guard info.st_mode & S_IFMT == S_IFDIR else { return [path] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(self.path)/\(path)")) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted().map { "\(path)/\($0)" }
  }

  static func digest(_ path: String) throws -> String {
    do throws(FileError) {
      return try ContentDigest.ofFile(path).text
    } catch {
      throw WorkspaceError(
        error.code == ENOENT ? .notFound : .damaged, file: path, error.what,
        remedy: "cleannet check says how to make it again")
    }
  }

  func note(_ files: [FileDigest], _ db: Database) throws {
    for file in files {
      try db.execute(
        sql: "INSERT OR REPLACE INTO files VALUES (?, ?, NULL)", arguments: [file.path, file.digest])
    }
  }

  /// Says what a file will hold that is about to be put in place of another. Until `settle` is called either is right, so
  /// that a kill between leaves nothing that looks damaged.
  func announce(_ file: FileDigest) throws {
    try write { db in
      if let row = try Row.fetchOne(
        db, sql: "SELECT digest, next FROM files WHERE path = ?", arguments: [file.path]),
        let next = row[1] as String?
      {
        // An earlier writer was killed: which of the two came of it is seen by looking.
        if try Self.shardDigest(of: file.path, in: path) == next {
          try db.execute(sql: "UPDATE files SET digest = ? WHERE path = ?", arguments: [next, file.path])
        }
      }
      try db.execute(
        sql: "INSERT INTO files VALUES (?1, NULL, ?2) ON CONFLICT (path) DO UPDATE SET next = ?2",
        arguments: [file.path, file.digest])
    }
  }

  static func settle(_ path: String, _ db: Database) throws {
    try db.execute(
      sql: "UPDATE files SET digest = next, next = NULL WHERE path = ? AND next IS NOT NULL",
      arguments: [path])
  }

  /// The digests that a file may have; none where it was written by an earlier version.
  func allowedDigests(_ path: String) throws -> [String] {
    try read { db in
      let row = try Row.fetchOne(db, sql: "SELECT digest, next FROM files WHERE path = ?", arguments: [path])
      return row.map { [$0[0] as String?, $0[1] as String?].compactMap { $0 } } ?? []
    }
  }

  /// Makes sure that files hold what was written.
  ///
  /// - Parameters:
  ///   - paths: Below the workspace; a folder stands for the files in it.
  ///   - remedy: The command that makes them again.
  /// - Throws: `WorkspaceError` of kind `damaged`.
  package func verify(_ paths: [String], remedy: String) throws {
    for path in paths.flatMap(files(at:)) {
      try verify(path, remedy: remedy) { try Self.digest("\(self.path)/\(path)") }
    }
  }

  /// - Parameters:
  ///   - digest: The digest of the file's present content.
  ///   - again: Whether it is read also if it was before.
  func verify(
    _ path: String, remedy: String, again: Bool = false, digest: () throws -> String
  ) throws {
    let file = "\(self.path)/\(path)"
    // A process reads a file once, unless it has changed since.
    let state = VerifiedFiles.State(file)
    if !again, let state, VerifiedFiles.shared.isKnown(file, state) { return }
    for attempt in 0..<3 {
      let allowed = try allowedDigests(path)
      let isWhole = try allowed.isEmpty || allowed.contains(digest())
      if isWhole {
        if let state, state == VerifiedFiles.State(file) { VerifiedFiles.shared.note(file, state) }
        return
      }
      // Another process may be just putting another in place.
      if attempt < 2 { usleep(50_000) }
    }
    throw WorkspaceError(
      .damaged, file: file, "is not as it was written: the disk or another program has changed it",
      remedy: remedy)
  }
}

/// Files whose digests this process has compared, and what they looked like then.
private final class VerifiedFiles: Sendable {
  static let shared = VerifiedFiles()

  struct State: Hashable, Sendable {
    private let numbers: [Int]

    init?(_ path: String) {
      var info = stat()
      guard stat(path, &info) == 0 else { return nil }
      numbers = [
        Int(info.st_dev), Int(bitPattern: UInt(info.st_ino)), Int(info.st_size), info.st_mtim.tv_sec,
        info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec,
      ]
    }
  }

  private let known = Mutex<[String: State]>([:])

  func isKnown(_ path: String, _ state: State) -> Bool { known.withLock { $0[path] == state } }
  func note(_ path: String, _ state: State) { known.withLock { $0[path] = state } }
}
