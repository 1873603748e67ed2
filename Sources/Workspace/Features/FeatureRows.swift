import Files
import Foundation
import GRDB

/// The state of an image file, to tell whether it has changed: size and time for a quick look, the digest for certainty.
package struct ImageIdentity: Sendable, Hashable {
  /// Of the file that the image lies in, in bytes.
  package var size: Int64
  /// When that file was changed last, in nanoseconds since 1970. Compared for equality only: clocks are set back.
  package var modified: Int64
  /// Of the image's own bytes; nil where they were not read.
  package var digest: UInt64?

  package init(size: Int64, modified: Int64, digest: UInt64?) {
    self.size = size
    self.modified = modified
    self.digest = digest
  }

  /// Whether the file looks as it did.
  package func looksLike(_ other: ImageIdentity) -> Bool { size == other.size && modified == other.modified }
}

/// The known facts about a sample's row of features.
package struct FeatureRow: Sendable, Hashable {
  package enum State: Int, Sendable, Hashable {
    case embedded = 0
    /// The image's bytes are no image; only other bytes are tried again.
    case undecodable = 1
    /// The image could not be reached; each run tries again.
    case unreachable = 2
  }

  /// As the time of an image's file: it may lie elsewhere now, so `embed` looks at its bytes whatever its file looks like.
  static let unseen = Int64.min

  package var sample: Int
  package var state: State
  /// The image that the row was made of; nil if it is not known.
  package var image: ImageIdentity?

  package init(sample: Int, state: State, image: ImageIdentity?) {
    self.sample = sample
    self.state = state
    self.image = image
  }

  /// Its part of the set's sum.
  fileprivate var term: UInt64 {
    guard state == .embedded else { return 0 }
    var hash = StableHash()
    hash.combine(sample)
    hash.combine(image?.digest ?? 0)
    return hash.word
  }

  fileprivate init(_ row: Row) {
    sample = row[0]
    state = State(rawValue: row[1]) ?? .unreachable
    let size = row[2] as Int64?
    let modified = row[3] as Int64?
    image = size.flatMap { size in
      modified.map {
        ImageIdentity(size: size, modified: $0, digest: (row[4] as Int64?).map { UInt64(bitPattern: $0) })
      }
    }
  }
}

extension Workspace {
  /// Whether it is kept of which images a set's rows were made; it is not of sets of earlier versions.
  package func keepsRows(of set: FeatureSet) throws -> Bool {
    try read { try Self.number(of: set, $0) != nil }
  }

  /// Begins to keep of which images a set's rows are made.
  ///
  /// - Parameter rows: The known facts about the rows that are there.
  package func beginRows(of set: FeatureSet, with rows: [FeatureRow]) throws {
    try write { db in
      try db.execute(
        sql: "INSERT OR IGNORE INTO featureSets (key) VALUES (?)", arguments: [set.key])
      try Self.put(rows, of: set, db)
    }
  }

  /// The known facts about some samples' rows. Samples that are not among them have yet to be embedded.
  package func rows(of set: FeatureSet, in samples: Range<Int>) throws -> [Int: FeatureRow] {
    try read { db in
      guard let number = try Self.number(of: set, db) else { return [:] }
      var rows: [Int: FeatureRow] = [:]
      let cursor = try Row.fetchCursor(
        db,
        sql: """
          SELECT sample, state, size, modified, digest FROM featureRows
          WHERE features = ? AND sample >= ? AND sample < ?
          """, arguments: [number, samples.lowerBound, samples.upperBound])
      while let row = try cursor.next() {
        let row = FeatureRow(row)
        rows[row.sample] = row
      }
      return rows
    }
  }

  /// How many of the samples that are there have a row of each state; others are still to be embedded.
  package func rowCounts(of set: FeatureSet) throws -> [FeatureRow.State: Int] {
    try read { db in
      guard let number = try Self.number(of: set, db) else { return [:] }
      var counts: [FeatureRow.State: Int] = [:]
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT state, count(*) FROM featureRows JOIN samples ON id = sample AND gone IS NULL
          WHERE features = ? GROUP BY state
          """, arguments: [number])
      for row in rows { counts[FeatureRow.State(rawValue: row[0]) ?? .unreachable, default: 0] += row[1] }
      return counts
    }
  }

  /// How many of the samples that are there may be of other images than their rows: they lie elsewhere since.
  package func unseenRows(of set: FeatureSet) throws -> Int {
    try read { db in
      guard let number = try Self.number(of: set, db) else { return 0 }
      return try Int.fetchOne(
        db,
        sql: """
          SELECT count(*) FROM featureRows JOIN samples ON id = sample AND gone IS NULL
          WHERE features = ? AND modified = ?
          """, arguments: [number, FeatureRow.unseen]) ?? 0
    }
  }

  /// A digest of which images a set's rows were made of. It costs nothing to ask for.
  package func digest(of set: FeatureSet) throws -> String {
    try read { db in
      let sum = try Int64.fetchOne(db, sql: "SELECT sum FROM featureSets WHERE key = ?", arguments: [set.key])
      // Features that came with their samples are as many as these.
      let samples = set.key == FeatureSet.imported ? try SampleSums(stored: db).images : 0
      return StableHash.of(set.key, "\(sum ?? 0)", "\(samples)")
    }
  }

  /// Puts rows of features in place with what is known of them, so that a kill at any moment leaves either the rows as
  /// they were, or some that count as to be embedded.
  ///
  /// - Parameters:
  ///   - rows: Of one shard, by sample.
  ///   - values: `[rows.count, D]`; NaN where there is none.
  ///   - problems: Of stage `stage`, which replace the problems that these samples had.
  package func put(
    _ rows: [FeatureRow], _ values: UnsafeBufferPointer<Float>, of set: FeatureSet, problems: [SampleProblem],
    stage: String
  ) throws {
    guard let first = rows.first else { return }
    try write { db in try Self.forget(rows.map(\.sample), of: set, db) }
    let shard = first.sample / FeatureSet.rowsPerShard
    try set.put(rows.map(\.sample), values) { digest in
      try announce(FileDigest(path: set.relativePath(shard: shard), digest: digest))
    }
    try write { db in
      try Self.settle(set.relativePath(shard: shard), db)
      try Self.put(rows, of: set, db)
      for row in rows {
        try db.execute(
          sql: "DELETE FROM problems WHERE stage = ? AND sample = ?", arguments: [stage, row.sample])
      }
      try Self.add(problems, db)
    }
  }

  /// Changes what is known of rows that stay as they are.
  package func note(_ rows: [FeatureRow], of set: FeatureSet) throws {
    guard !rows.isEmpty else { return }
    try write { try Self.put(rows, of: set, $0) }
  }

  private static func number(of set: FeatureSet, _ db: Database) throws -> Int? {
    try Int.fetchOne(db, sql: "SELECT id FROM featureSets WHERE key = ?", arguments: [set.key])
  }

  private static func put(_ rows: [FeatureRow], of set: FeatureSet, _ db: Database) throws {
    guard let number = try number(of: set, db) else { return }
    try forget(rows.map(\.sample), of: set, db)
    let insert = try db.makeStatement(sql: "INSERT INTO featureRows VALUES (?, ?, ?, ?, ?, ?)")
    var sum: UInt64 = 0
    for row in rows {
      sum &+= row.term
      try insert.execute(arguments: [
        number, row.sample, row.state.rawValue, row.image?.size, row.image?.modified,
        row.image?.digest.map { Int64(bitPattern: $0) },
      ])
    }
    try change(number, by: sum, db)
  }

  /// Rows that are not known count as to be embedded.
  private static func forget(_ samples: [Int], of set: FeatureSet, _ db: Database) throws {
    guard let number = try number(of: set, db) else { return }
    let select = try db.makeStatement(
      sql: "SELECT sample, state, size, modified, digest FROM featureRows WHERE features = ? AND sample = ?")
    let delete = try db.makeStatement(sql: "DELETE FROM featureRows WHERE features = ? AND sample = ?")
    var sum: UInt64 = 0
    for sample in samples {
      guard let row = try Row.fetchOne(select, arguments: [number, sample]).map(FeatureRow.init) else {
        continue
      }
      sum &-= row.term
      try delete.execute(arguments: [number, sample])
    }
    if sum != 0 { try change(number, by: sum, db) }
  }

  /// Lets images that were refused be looked at again, in all sets.
  static func forgetUndecodable(_ db: Database) throws {
    let state = FeatureRow.State.undecodable.rawValue
    for number in try Int.fetchAll(db, sql: "SELECT id FROM featureSets") {
      var sum: UInt64 = 0
      let rows = try Row.fetchCursor(
        db,
        sql: "SELECT sample, state, size, modified, digest FROM featureRows WHERE features = ? AND state = ?",
        arguments: [number, state])
      while let row = try rows.next() { sum &-= FeatureRow(row).term }
      try db.execute(
        sql: "DELETE FROM featureRows WHERE features = ? AND state = ?", arguments: [number, state])
      if sum != 0 { try change(number, by: sum, db) }
    }
  }

  /// SQLite's own sum would turn into a real number where it overflows.
  private static func change(_ number: Int, by amount: UInt64, _ db: Database) throws {
    let old =
      try Int64.fetchOne(db, sql: "SELECT sum FROM featureSets WHERE id = ?", arguments: [number]) ?? 0
    try db.execute(
      sql: "UPDATE featureSets SET sum = ? WHERE id = ?",
      arguments: [Int64(bitPattern: UInt64(bitPattern: old) &+ amount), number])
  }

  /// The sums of the rows, computed anew; equal to the kept ones unless a disk has changed them.
  static func rowSums(_ db: Database) throws -> [String: (kept: UInt64, found: UInt64)] {
    var sums: [String: (kept: UInt64, found: UInt64)] = [:]
    for set in try Row.fetchAll(db, sql: "SELECT id, key, sum FROM featureSets") {
      var found: UInt64 = 0
      let cursor = try Row.fetchCursor(
        db, sql: "SELECT sample, state, size, modified, digest FROM featureRows WHERE features = ?",
        arguments: [set[0] as Int])
      while let row = try cursor.next() { found &+= FeatureRow(row).term }
      sums[set[1]] = (UInt64(bitPattern: set[2]), found)
    }
    return sums
  }
}
