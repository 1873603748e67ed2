import Foundation
import GRDB

extension Workspace {
  /// The faults of the catalogue: pages that SQLite finds damaged, and rows that are not as they were written.
  ///
  /// Takes as long as reading all of it.
  package func catalogueFindings() throws -> [WorkspaceError] {
    do {
      try check()
    } catch let error as WorkspaceError where error.kind == .damaged {
      return [error]
    }
    var findings: [String] = []
    do {
      try read { db in
        let kept = try SampleSums(stored: db)
        let found = try SampleSums.scan(db)
        if kept.images != found.images {
          findings.append("holds another key or path of an image than was written")
        }
        if kept.places != found.places { findings.append("holds another place of an image than was written") }
        if kept.labels != found.labels { findings.append("holds another label or split than was written") }
        for (key, sums) in try Self.rowSums(db).sorted(by: { $0.key < $1.key }) where sums.kept != sums.found
        {
          findings.append("holds other rows of the features \(key) than were written")
        }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM verifications WHERE sum IS NOT NULL") {
          guard !Self.isWholeAnswer(row) else { continue }
          findings.append("holds another verdict (number \(row["id"] as Int)) than was given")
        }
        for sample in try Self.damagedCopies(db) {
          findings.append("holds another decision on the copies of image \(sample) than was made")
        }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM runs") where !Self.isWhole(row) {
          findings.append("holds another record of a run of \(row["stage"] as String) than was written")
        }
        let counts = try Row.fetchAll(
          db, sql: "SELECT split, class, samples FROM counts WHERE samples <> 0 ORDER BY 1, 2")
        let counted = try Row.fetchAll(
          db, sql: "SELECT split, class, count(*) FROM samples WHERE gone IS NULL GROUP BY 1, 2 ORDER BY 1, 2"
        )
        if counts.map({ [$0[0], $0[1], $0[2]] as [Int] }) != counted.map({ [$0[0], $0[1], $0[2]] as [Int] }) {
          findings.append("counts other images than it holds")
        }
      }
    } catch let error as WorkspaceError where error.kind == .damaged {
      return findings.map(finding) + [error]
    }
    return findings.map(finding)
  }

  private func finding(_ what: String) -> WorkspaceError {
    WorkspaceError(
      .damaged, file: catalogue, what,
      remedy:
        "Restore a copy of it; or export what can be trusted (cleannet verify export), and import again "
        + "into a new workspace")
  }

  /// Whether a verdict's row is as it was written; those of earlier versions are taken to be.
  static func isWholeAnswer(_ row: Row) -> Bool {
    guard let sum = row["sum"] as Int64? else { return true }
    guard let origin = VerificationRecord.Origin(rawValue: row["how"]) else { return false }
    let record = VerificationRecord(
      sample: row["sample"], label: row["class"], answer: VerificationAnswer(stored: row["answer"]),
      person: row["person"], origin: origin, dwell: row["dwell"], client: row["client"],
      correction: row["correct"],
      selection: (row["chosen"] as String?).flatMap(VerificationRecord.Selection.init),
      remark: (row["remark"] as String?).flatMap(VerificationRecord.Remark.init))
    return record.sum(at: row["at"]) == sum
  }

  /// The files whose digests are kept, by their paths below the workspace.
  package func notedFiles() throws -> Set<String> {
    try read { Set(try String.fetchAll($0, sql: "SELECT path FROM files")) }
  }

  /// Compares a file with what was written, whether or not that was done before.
  package func verifyNow(_ path: String, remedy: String) throws {
    let parts = path.split(separator: "/").map(String.init)
    if parts.count == 3, parts[0] == "features", let set = try featureSet(key: parts[1]),
      let shard = Int(parts[2].dropLast(4))
    {
      let rows = try sampleCount() - shard * FeatureSet.rowsPerShard
      try verify(path, remedy: remedy, again: true) { try set.digest(shard: shard, rows: max(0, rows)) }
    } else {
      try verify(path, remedy: remedy, again: true) { try Self.digest("\(self.path)/\(path)") }
    }
  }

  /// Whether the last run of some stage, or what it was made from, lies at a path below the workspace.
  package func isInUse(_ path: String) throws -> Bool {
    let parts = path.split(separator: "/").map(String.init)
    guard parts.count >= 2 else { return true }
    if parts[1] == FeatureSet.imported { return true }
    return try read { db in
      // The last run of each stage that was done, and runs that were broken off, which go on from what they left.
      let sql = """
        SELECT stage, key, metrics FROM runs r WHERE outcome = 'done'
          AND id = (SELECT max(id) FROM runs WHERE stage = r.stage AND outcome = 'done')
        UNION ALL SELECT stage, key, metrics FROM runs r WHERE outcome IS NULL
          AND id = (SELECT max(id) FROM runs WHERE stage = r.stage)
        """
      // A run's record names whatever it was made from by its key.
      return try Row.fetchAll(db, sql: sql).contains { row in
        row[1] as String == parts[1] || (row[2] as String?)?.contains(parts[1]) == true
      }
    }
  }

  /// Forgets the digests of files at a path below the workspace, and the images that rows of features were made from.
  package func forget(_ path: String) throws {
    try write { db in
      try db.execute(
        sql: "DELETE FROM files WHERE path = ?1 OR substr(path, 1, length(?1) + 1) = ?1 || '/'",
        arguments: [path])
      let parts = path.split(separator: "/").map(String.init)
      guard parts.first == "features", parts.count == 2 else { return }
      try db.execute(
        sql: "DELETE FROM featureRows WHERE features = (SELECT id FROM featureSets WHERE key = ?)",
        arguments: [parts[1]])
      try db.execute(sql: "DELETE FROM featureSets WHERE key = ?", arguments: [parts[1]])
    }
  }
}
