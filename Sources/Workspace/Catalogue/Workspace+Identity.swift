import Foundation
import GRDB

extension Workspace {
  /// A text that no other workspace has, also none that is made under the same path later. Made on first use.
  package func identity() throws -> String {
    let name = "identity"
    func known(_ db: Database) throws -> String? {
      try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = ?", arguments: [name])
    }
    if let identity = try read(known) { return identity }
    return try write { db in
      let made = UUID().uuidString.lowercased()
      try db.execute(sql: "INSERT OR IGNORE INTO meta VALUES (?, ?)", arguments: [name, made])
      return try known(db) ?? made
    }
  }
}
