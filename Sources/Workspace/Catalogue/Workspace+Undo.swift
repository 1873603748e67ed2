import Foundation
import GRDB

extension Workspace {
  /// Which answers are to be taken back.
  package enum UndoneAnswers: Sendable, Hashable {
    /// By what their sender called them.
    case clients([String])
    /// All whose sender's name for them begins with this and a hyphen.
    case batch(String)
    /// All that the person gave at one moment, in seconds since 1970 as ``AnswerAction`` has it.
    case moment(Double)
  }

  /// An answer that was taken back.
  package struct UndoneAnswer: Sendable, Hashable {
    package var sample: Int
    package var label: Int
    package var answer: VerificationAnswer
  }

  /// Takes a person's answers back: what the person had said about those samples before counts again. History keeps all;
  /// an answer is added that says the same as the earlier one, or withdraws. Doing it twice does nothing more.
  ///
  /// An answer that the person has meanwhile replaced stays replaced.
  ///
  /// - Returns: The answers that were taken back, the last first.
  package func undoVerifications(_ undone: UndoneAnswers, by person: String) throws -> [UndoneAnswer] {
    try writeAnswers { db in
      let rows: [Row] =
        switch undone {
        case .clients(let clients):
          try clients.reversed().compactMap { client in
            try Row.fetchOne(
              db,
              sql:
                "SELECT id, sample, class, client, answer FROM verifications WHERE client = ? AND person = ?",
              arguments: [client, person])
          }
        case .batch(let batch):
          // The character after the hyphen bounds the range, so that the index finds it.
          try Row.fetchAll(
            db,
            sql: """
              SELECT id, sample, class, client, answer FROM verifications
              WHERE client > ? || '-' AND client < ? || '.' AND person = ? ORDER BY id DESC
              """, arguments: [batch, batch, person])
        case .moment(let moment):
          try Row.fetchAll(
            db,
            sql: """
              SELECT id, sample, class, client, answer FROM verifications
              WHERE at = ? AND person = ? AND client NOT LIKE 'undo:%' ORDER BY id DESC
              """, arguments: [moment, person])
        }
      let undo = try UndoStatements(db)
      return try rows.compactMap { row in
        guard try undo.takeBack(row[3], sample: row[1], label: row[2], person: person) else { return nil }
        return UndoneAnswer(sample: row[1], label: row[2], answer: VerificationAnswer(stored: row[4]))
      }
    }
  }
}

/// The statements that take an answer back.
private struct UndoStatements {
  /// The beginning of the sender's name of an undoing answer; nobody else can choose it.
  private static let prefix = "undo:"
  private let standing: Statement
  private let insert: Statement

  init(_ db: Database) throws {
    // A person's answers on a sample, the last first, without answers taken back, and without the taking back.
    standing = try db.makeStatement(
      sql: """
        SELECT answer, how, correct, chosen, client, remark FROM verifications v
        WHERE sample = ? AND class = ? AND person = ? AND (client IS NULL OR (client NOT LIKE '\(Self.prefix)%'
          AND NOT EXISTS (SELECT 1 FROM verifications u WHERE u.client = '\(Self.prefix)' || v.client)))
        ORDER BY id DESC LIMIT 2
        """)
    insert = try db.makeStatement(
      sql: """
        INSERT INTO verifications (sample, class, answer, person, how, at, client, correct, chosen, remark, sum)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (client) DO NOTHING
        """)
  }

  /// - Returns: Whether the answer was the person's last one.
  func takeBack(_ client: String, sample: Int, label: Int, person: String) throws -> Bool {
    let rows = try Row.fetchAll(standing, arguments: [sample, label, person])
    guard let last = rows.first, last[4] == client else { return false }
    let earlier = rows.dropFirst().first
    let record = VerificationRecord(
      sample: sample, label: label,
      answer: earlier.map { VerificationAnswer(stored: $0[0]) } ?? .withdrawn, person: person,
      origin: (earlier?[1] as String?).flatMap(VerificationRecord.Origin.init) ?? .reviewed,
      client: Self.prefix + client, correction: earlier?[2],
      selection: (earlier?[3] as String?).flatMap(VerificationRecord.Selection.init),
      remark: (earlier?[5] as String?).flatMap(VerificationRecord.Remark.init))
    let at = record.date.timeIntervalSince1970
    try insert.execute(arguments: [
      sample, label, record.answer.stored, person, record.origin.rawValue, at,
      record.client, record.correction, record.selection?.rawValue, record.remark?.rawValue,
      record.sum(at: at),
    ])
    return true
  }
}
