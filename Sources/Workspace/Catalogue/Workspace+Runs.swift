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
}

/// An image that a stage could not use.
public struct SampleProblem: Sendable, Hashable {
  public var sample: Int
  public var stage: String
  public var what: String
  public var date: Date

  public init(sample: Int, stage: String, what: String, date: Date = .now) {
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
  /// - Returns: What `finishRun` wants.
  public func beginRun(stage: String, key: String, settings: String = "{}") throws -> Int {
    try write { db in
      try db.execute(
        sql: "INSERT INTO runs (stage, key, settings, started) VALUES (?, ?, ?, ?)",
        arguments: [stage, key, settings, Date.now.timeIntervalSince1970])
      return Int(db.lastInsertedRowID)
    }
  }

  /// Notes how a stage ended.
  /// - Parameter metrics: JSON.
  public func finishRun(_ id: Int, _ outcome: StageRun.Outcome, metrics: String? = nil) throws {
    try write { db in
      try db.execute(
        sql: "UPDATE runs SET finished = ?, outcome = ?, metrics = ? WHERE id = ?",
        arguments: [Date.now.timeIntervalSince1970, outcome.rawValue, metrics, id])
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

  /// The last run of a stage that was done, with that key or with any.
  public func finishedRun(stage: String, key: String? = nil) throws -> StageRun? {
    try read { db in
      try Row.fetchOne(
        db,
        sql: """
          SELECT * FROM runs WHERE stage = ?1 AND (?2 IS NULL OR key = ?2) AND outcome = 'done'
          ORDER BY id DESC LIMIT 1
          """, arguments: [stage, key]
      ).map(Self.run)
    }
  }

  private static func run(_ row: Row) -> StageRun {
    StageRun(
      id: row["id"], stage: row["stage"], key: row["key"], settings: row["settings"],
      started: Date(timeIntervalSince1970: row["started"]),
      finished: (row["finished"] as Double?).map { Date(timeIntervalSince1970: $0) },
      outcome: (row["outcome"] as String?).flatMap(StageRun.Outcome.init), metrics: row["metrics"])
  }

  /// Notes images that a stage could not use; a later problem of the same stage replaces the earlier.
  public func addProblems(_ problems: [SampleProblem]) throws {
    try write { db in
      for problem in problems {
        try db.execute(
          sql: "INSERT OR REPLACE INTO problems VALUES (?, ?, ?, ?)",
          arguments: [problem.sample, problem.stage, problem.what, problem.date.timeIntervalSince1970])
      }
    }
  }

  /// Forgets the problems of a stage for a range of samples, which it is about to try again.
  public func clearProblems(stage: String, in samples: Range<Int>) throws {
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
