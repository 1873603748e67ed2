import Files
import Foundation
import GRDB

/// One run of a stage.
public struct StageRun: Sendable, Hashable {
  public enum Outcome: String, Sendable, Hashable {
    case done
    case failed
    case interrupted
  }

  public var id: Int
  /// Such as `embed` or `train`.
  public var stage: String
  /// The hash of the stage's inputs and settings.
  public var key: String
  /// JSON.
  public var settings: String
  public var started: Date
  /// `nil` while it runs, or if it was killed.
  public var finished: Date?
  public var outcome: Outcome?
  /// JSON.
  public var metrics: String?
  /// The inputs of the run: a digest of each, by name; nil of runs of earlier versions.
  public var inputs: [String: String]?

  /// A hash of all that others rely on, by which a row that a disk has changed is told.
  static func sum(
    stage: String, key: String, settings: String, outcome: String?, metrics: String?, inputs: String?
  ) -> Int64 {
    var hash = StableHash()
    for text in [stage, key, settings, outcome ?? "", metrics ?? "", inputs ?? ""] { hash.combine(text) }
    return Int64(bitPattern: hash.word)
  }
}

/// An image that a stage could not use.
public struct SampleProblem: Sendable, Hashable {
  public var sample: Int
  public var stage: String
  public var what: String
  public var date: Date

  package init(sample: Int, stage: String, what: String, date: Date = .now) {
    self.sample = sample
    self.stage = stage
    self.what = what
    self.date = date
  }
}

extension Workspace {
  /// Notes that a stage begins.
  /// - Parameters:
  ///   - key: The hash of its inputs and settings.
  ///   - settings: JSON.
  /// - Returns: The run's number, for `finishRun`.
  package func beginRun(stage: String, key: String, settings: String = "{}") throws -> Int {
    try write { db in
      try db.execute(
        sql: "INSERT INTO runs (stage, key, settings, started) VALUES (?, ?, ?, ?)",
        arguments: [stage, key, settings, Date.now.timeIntervalSince1970])
      return Int(db.lastInsertedRowID)
    }
  }

  /// Notes how a stage ended, and its files, in one step.
  ///
  /// - Parameters:
  ///   - metrics: JSON.
  ///   - inputs: The inputs of the run: a digest of each, by name.
  ///   - files: The files that the run left in the workspace; see `digests(of:)`.
  package func finishRun(
    _ id: Int, _ outcome: StageRun.Outcome, metrics: String? = nil, inputs: [String: String]? = nil,
    files: [FileDigest] = []
  ) throws {
    let inputs = try inputs?.json()
    try write { db in
      try note(files, db)
      guard
        let row = try Row.fetchOne(
          db, sql: "SELECT stage, key, settings FROM runs WHERE id = ?", arguments: [id])
      else { return }
      try db.execute(
        sql: "UPDATE runs SET finished = ?, outcome = ?, metrics = ?, inputs = ?, sum = ? WHERE id = ?",
        arguments: [
          Date.now.timeIntervalSince1970, outcome.rawValue, metrics, inputs,
          StageRun.sum(
            stage: row[0], key: row[1], settings: row[2], outcome: outcome.rawValue, metrics: metrics,
            inputs: inputs), id,
        ])
    }
  }

  /// The runs of a stage, or of all, the oldest first.
  public func runs(stage: String? = nil) throws -> [StageRun] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM runs WHERE ?1 IS NULL OR stage = ?1 ORDER BY id", arguments: [stage]
      ).map(Self.run)
    }
  }

  /// The last run of a stage that was done, with that key or with any. One whose row is damaged counts as not there, so
  /// that it is done again.
  public func finishedRun(stage: String, key: String? = nil) throws -> StageRun? {
    try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT * FROM runs WHERE stage = ?1 AND (?2 IS NULL OR key = ?2) AND outcome = 'done'
          ORDER BY id DESC
          """, arguments: [stage, key])
      while let row = try rows.next() {
        if Self.isWhole(row) { return Self.run(row) }
      }
      return nil
    }
  }

  /// Whether a run's row is as it was written.
  static func isWhole(_ row: Row) -> Bool {
    guard let sum = row["sum"] as Int64? else { return true }
    return sum
      == StageRun.sum(
        stage: row["stage"], key: row["key"], settings: row["settings"], outcome: row["outcome"],
        metrics: row["metrics"], inputs: row["inputs"])
  }

  private static func run(_ row: Row) -> StageRun {
    StageRun(
      id: row["id"], stage: row["stage"], key: row["key"], settings: row["settings"],
      started: Date(timeIntervalSince1970: row["started"]),
      finished: (row["finished"] as Double?).map { Date(timeIntervalSince1970: $0) },
      outcome: (row["outcome"] as String?).flatMap(StageRun.Outcome.init), metrics: row["metrics"],
      inputs: (row["inputs"] as String?).flatMap {
        try? JSONDecoder().decode([String: String].self, from: Data($0.utf8))
      })
  }

  /// Notes images that a stage could not use; a later problem of the same stage replaces the earlier.
  package func addProblems(_ problems: [SampleProblem]) throws {
    try write { try Self.add(problems, $0) }
  }

  static func add(_ problems: [SampleProblem], _ db: Database) throws {
    for problem in problems {
      try db.execute(
        sql: "INSERT OR REPLACE INTO problems VALUES (?, ?, ?, ?)",
        arguments: [problem.sample, problem.stage, problem.what, problem.date.timeIntervalSince1970])
    }
  }

  /// Forgets the problems of a stage for a range of samples, which it is about to try again.
  package func clearProblems(stage: String, in samples: Range<Int>) throws {
    try write { db in
      try db.execute(
        sql: "DELETE FROM problems WHERE stage = ? AND sample >= ? AND sample < ?",
        arguments: [stage, samples.lowerBound, samples.upperBound])
    }
  }

  /// The problems, by sample.
  public func problems(limit: Int = .max) throws -> [SampleProblem] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM problems ORDER BY sample, stage LIMIT ?", arguments: [limit])
        .map {
          SampleProblem(sample: $0[0], stage: $0[1], what: $0[2], date: Date(timeIntervalSince1970: $0[3]))
        }
    }
  }
}
