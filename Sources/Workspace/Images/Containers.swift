import Datasets
import Files
import Foundation
import GRDB

extension ImageIdentity {
  /// Size and time of a file; nil if it cannot be reached.
  package init?(ofFile path: String) {
    var info = stat()
    guard stat(path, &info) == 0 else { return nil }
    let time = info.st_mtim
    self.init(
      size: Int64(info.st_size), modified: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec),
      digest: nil)
  }
}

extension ImageLocation {
  /// A digest of the image's own bytes as they lie in its file; nil where the file must be unpacked first.
  package func contentDigest() throws(FileError) -> UInt64? {
    switch self {
    case .file(let path): try ContentDigest.ofFile(path).word
    case .archiveMember(let path, let offset, let length),
      .deflatedMember(let path, let offset, let length, _):
      try ContentDigest.ofFile(path, range: (offset, length)).word
    case .planes(let path, let offset, let width, let height):
      try ContentDigest.ofFile(path, range: (offset, Int64(3 * width * height))).word
    case .idx, .none: nil
    }
  }
}

/// Files that hold many images, and what they looked like when it was read where in them each lies.
struct ContainerNotes {
  private var last: String?
  private var found: [String: ImageIdentity] = [:]

  /// Takes note of the file that an image lies in. The first look counts: what is written while the source is read, is
  /// another file than the one that was read.
  mutating func look(_ location: ImageLocation) {
    guard let path = location.container, path != last else { return }
    last = path
    if found[path] == nil { found[path] = ImageIdentity(ofFile: path) }
  }

  func save(_ db: Database) throws {
    for (path, identity) in found {
      try db.execute(
        sql: "INSERT OR REPLACE INTO containers VALUES (?, ?, ?)",
        arguments: [path, identity.size, identity.modified])
    }
  }

  /// Files that were moved keep what is known of them; a copy of the same size counts as the file that it was made of.
  static func relocate(_ db: Database, _ move: (String) -> String?) throws {
    for row in try Row.fetchAll(db, sql: "SELECT * FROM containers") {
      guard let new = move(row[0]) else { continue }
      var modified: Int64 = row[2]
      if let now = ImageIdentity(ofFile: new), now.size == row[1] as Int64 { modified = now.modified }
      try db.execute(sql: "DELETE FROM containers WHERE path = ?", arguments: [row[0] as String])
      try db.execute(
        sql: "INSERT OR REPLACE INTO containers VALUES (?, ?, ?)",
        arguments: [new, row[1] as Int64, modified])
    }
  }
}

extension Workspace {
  /// The state of files that hold many images, when their images were imported, by path.
  func containers() throws -> [String: ImageIdentity] {
    try read { db in
      Dictionary(
        uniqueKeysWithValues: try Row.fetchAll(db, sql: "SELECT * FROM containers").map {
          ($0[0], ImageIdentity(size: $0[1], modified: $0[2], digest: nil))
        })
    }
  }

  /// Makes sure that images lie in archives and their like where the catalogue says.
  ///
  /// - Throws: `WorkspaceError` if such a file has changed since it was imported. One that is not there is not told of.
  package func refuseChangedContainers() throws {
    for (path, identity) in try containers().sorted(by: { $0.key < $1.key }) {
      guard let now = ImageIdentity(ofFile: path), !now.looksLike(identity) else { continue }
      throw WorkspaceError(
        .invalidInput, file: path, Self.containerChange,
        remedy: "Import the changes: cleannet import --update")
    }
  }

  static let containerChange = "has changed since it was imported, so that images may lie elsewhere in it"
}
