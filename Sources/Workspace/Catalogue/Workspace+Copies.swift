import Foundation
import GRDB

/// Decisions of people on images that show the same: which of them stays. They say nothing of labels, and concern cleaned
/// data sets alone.
extension Workspace {
  /// Decides that one image stays, and that others, which show the same, are left out.
  ///
  /// - Throws: `WorkspaceError` if the disk refuses.
  package func keepOne(_ kept: Int, of images: [Int], by person: String) throws {
    let at = Date.now.timeIntervalSince1970
    try write { db in
      for image in images { try db.execute(sql: "DELETE FROM copies WHERE sample = ?", arguments: [image]) }
      for image in images where image != kept {
        try db.execute(
          sql: "INSERT INTO copies (sample, kept, person, at, sum) VALUES (?, ?, ?, ?, ?)",
          arguments: [image, kept, person, at, Self.sum(image, kept, person, at)])
      }
    }
  }

  /// Takes back what was decided on some images: they stay.
  package func keepAll(_ images: [Int]) throws {
    try write { db in
      for image in images { try db.execute(sql: "DELETE FROM copies WHERE sample = ?", arguments: [image]) }
    }
  }

  /// The images that are left out, and which stays instead of each. Where that one is gone, or is left out itself, its copy
  /// stays.
  package func copies() throws -> [Int: Int] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT c.sample, c.kept FROM copies c JOIN samples s ON s.id = c.kept
          WHERE s.gone IS NULL AND c.kept NOT IN (SELECT sample FROM copies)
          """)
      return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
    }
  }

  /// The images about which something else was decided than is kept.
  static func damagedCopies(_ db: Database) throws -> [Int] {
    try Row.fetchAll(db, sql: "SELECT sample, kept, person, at, sum FROM copies").compactMap { row in
      row["sum"] as Int64 == sum(row["sample"], row["kept"], row["person"], row["at"]) ? nil : row["sample"]
    }
  }

  private static func sum(_ sample: Int, _ kept: Int, _ person: String, _ at: Double) -> Int64 {
    var hash = StableHash()
    hash.combine(sample)
    hash.combine(kept)
    hash.combine(person)
    hash.combine(at.bitPattern)
    return Int64(bitPattern: hash.word)
  }
}
