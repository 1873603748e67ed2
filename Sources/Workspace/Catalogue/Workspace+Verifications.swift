import Foundation
import GRDB

/// What a person says of a sample's label.
public enum VerificationAnswer: Sendable, Hashable {
  case right
  case wrong
  /// Looked at, and could not tell.
  case unsure
  /// Takes back what was said before.
  case withdrawn

  public init(isRight: Bool) { self = isRight ? .right : .wrong }

  /// `nil` unless right or wrong.
  public var isRight: Bool? {
    switch self {
    case .right: true
    case .wrong: false
    case .unsure, .withdrawn: nil
    }
  }

  fileprivate var stored: Int? {
    switch self {
    case .right: 1
    case .wrong: 0
    case .unsure: 2
    case .withdrawn: nil
    }
  }

  fileprivate init(stored: Int?) {
    switch stored {
    case 1: self = .right
    case 0: self = .wrong
    case nil: self = .withdrawn
    default: self = .unsure
    }
  }
}

/// One answer to "is this image's label right?", as it is kept for ever.
public struct VerificationRecord: Sendable, Hashable {
  /// How an answer came about.
  public enum Origin: String, Sendable, Hashable {
    case imported = "import"
    case simulated = "simulate"
    case reviewed = "review"
  }

  public var sample: Int
  /// The class that was judged. An answer counts only while it is the sample's label.
  public var label: Int
  public var answer: VerificationAnswer
  public var person: String
  public var date: Date
  public var origin: Origin
  /// How long the person looked, in milliseconds.
  public var dwell: Int?
  /// Chosen by who sends the answer, so that sending it twice does nothing.
  public var client: String?

  public init(
    sample: Int, label: Int, answer: VerificationAnswer, person: String, date: Date = .now, origin: Origin,
    dwell: Int? = nil, client: String? = nil
  ) {
    self.sample = sample
    self.label = label
    self.answer = answer
    self.person = person
    self.date = date
    self.origin = origin
    self.dwell = dwell
    self.client = client
  }
}

extension Workspace {
  /// Adds answers, all or none. One whose `client` is there already is passed over.
  ///
  /// - Returns: How many were new.
  /// - Throws: `WorkspaceError` if a sample or a class is not there, or another process writes for too long.
  @discardableResult
  public func addVerifications(_ records: [VerificationRecord]) throws -> Int {
    try write { db in
      let samples = try Int.fetchOne(db, sql: "SELECT coalesce(max(id) + 1, 0) FROM samples") ?? 0
      let classes = try Int.fetchOne(db, sql: "SELECT count(*) FROM classes") ?? 0
      let insert = try db.makeStatement(
        sql: """
          INSERT INTO verifications (sample, class, answer, person, how, at, dwell, client)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (client) DO NOTHING
          """)
      let before = db.totalChangesCount
      for record in records {
        guard (0..<samples).contains(record.sample), (0..<classes).contains(record.label) else {
          throw WorkspaceError(
            .invalidInput, file: path, "has no sample \(record.sample) or no class \(record.label) to verify",
            remedy: "Use the numbers of samples and classes in this workspace")
        }
        try insert.execute(arguments: [
          record.sample, record.label, record.answer.stored, record.person, record.origin.rawValue,
          record.date.timeIntervalSince1970, record.dwell, record.client,
        ])
      }
      return db.totalChangesCount - before
    }
  }

  /// What holds now: of each sample the last answer on its present label, withdrawn ones left out; by sample.
  public func currentAnswers() throws -> [(sample: Int, answer: VerificationAnswer)] {
    try read { db in
      try Row.fetchAll(db, sql: Self.currentAnswersQuery).map { ($0[0], VerificationAnswer(stored: $0[1])) }
    }
  }

  /// The samples whose present label is known to be right or wrong; by sample.
  public func verifications() throws -> [(sample: Int, isRight: Bool)] {
    try currentAnswers().compactMap { sample, answer in answer.isRight.map { (sample, $0) } }
  }

  /// All answers ever given, or those on one sample, the oldest first.
  public func verificationHistory(sample: Int? = nil) throws -> [VerificationRecord] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM verifications WHERE ?1 IS NULL OR sample = ?1 ORDER BY id",
        arguments: [sample]
      ).map { row in
        VerificationRecord(
          sample: row["sample"], label: row["class"], answer: VerificationAnswer(stored: row["answer"]),
          person: row["person"], date: Date(timeIntervalSince1970: row["at"]),
          origin: VerificationRecord.Origin(rawValue: row["how"]) ?? .imported, dwell: row["dwell"],
          client: row["client"])
      }
    }
  }

  /// SQLite takes the other columns of a group from the row that `max` comes from.
  static let currentAnswersQuery = """
    SELECT sample, answer FROM (
      SELECT v.sample, v.answer, max(v.id) FROM verifications v
      JOIN samples s ON s.id = v.sample AND s.class = v.class
      GROUP BY v.sample)
    WHERE answer IS NOT NULL ORDER BY sample
    """

  /// Gives a sample another label. Answers on the old one stay in the history, and count again should it come
  /// back.
  ///
  /// - Throws: `WorkspaceError` if there is no such sample.
  public func setLabel(_ name: String, ofSample sample: Int) throws {
    try write { db in
      guard
        let row = try Row.fetchOne(
          db, sql: "SELECT class, split FROM samples WHERE id = ?", arguments: [sample])
      else {
        throw WorkspaceError(
          .notFound, file: path, "has no sample \(sample)",
          remedy: "Use the numbers of samples in this workspace")
      }
      var classes = try NameTable(db, "classes")
      let label = classes.number(name)
      try classes.save(db)
      guard label != row[0] else { return }
      try db.execute(sql: "UPDATE samples SET class = ? WHERE id = ?", arguments: [label, sample])
      try db.execute(
        sql: "UPDATE counts SET samples = samples - 1 WHERE split = ? AND class = ?",
        arguments: [row[1] as Int, row[0] as Int])
      try db.execute(
        sql: """
          INSERT INTO counts VALUES (?, ?, 1) ON CONFLICT (split, class) DO UPDATE SET samples = samples + 1
          """, arguments: [row[1] as Int, label])
      let before = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'labelChanges'") ?? ""
      try db.execute(
        sql: "INSERT OR REPLACE INTO meta VALUES ('labelChanges', ?)",
        arguments: [StableHash.of(before, String(sample), name)])
    }
  }
}
