import Foundation
import GRDB

extension Workspace {
  /// Adds answers, all or none. One whose `client` is there already is passed over.
  ///
  /// - Returns: How many were new.
  /// - Throws: `WorkspaceError` if a sample or a class is not there, or another process writes for too long.
  @discardableResult
  package func addVerifications(_ records: [VerificationRecord]) throws -> Int {
    try writeAnswers { db in
      let samples = try Int.fetchOne(db, sql: "SELECT coalesce(max(id) + 1, 0) FROM samples") ?? 0
      let classes = try Int.fetchOne(db, sql: "SELECT count(*) FROM classes") ?? 0
      let insert = try db.makeStatement(
        sql: """
          INSERT INTO verifications (sample, class, answer, person, how, at, dwell, client, correct, chosen, remark, sum)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (client) DO NOTHING
          """)
      let before = db.totalChangesCount
      for record in records {
        guard (0..<samples).contains(record.sample), (0..<classes).contains(record.label),
          record.correction.map((0..<classes).contains) ?? true
        else {
          throw WorkspaceError(
            .invalidInput, file: path, "has no sample \(record.sample) or no class \(record.label) to verify",
            remedy: "Use the numbers of samples and classes in this workspace")
        }
        let at = record.date.timeIntervalSince1970
        try insert.execute(arguments: [
          record.sample, record.label, record.answer.stored, record.person, record.origin.rawValue,
          at, record.dwell, record.client, record.correction,
          record.selection?.rawValue, record.remark?.rawValue, record.sum(at: at),
        ])
      }
      return db.totalChangesCount - before
    }
  }

  /// Changes the catalogue for a person, who is not to be refused because an import takes its time.
  func writeAnswers<Value>(_ body: (Database) throws -> Value) throws -> Value {
    let end = Date.now.addingTimeInterval(patience > 0 ? Self.answerPatience : 0)
    while true {
      do {
        return try write(body)
      } catch let error as WorkspaceError where error.kind == .locked && Date.now < end {
        usleep(20_000)
      }
    }
  }

  /// The samples whose present label a person found right or wrong; by sample.
  ///
  /// Suggestions that were accepted unseen are left out: nobody looked.
  public func verifications() throws -> [(sample: Int, isRight: Bool)] {
    try currentAnswers().compactMap { answer in
      answer.origin == .accepted ? nil : answer.answer.isRight.map { (answer.sample, $0) }
    }
  }

  /// The answers that bounds on all images follow from: those on images of the random samples, and whether each label is
  /// known to be right. "Not sure" is not: without such images the others would look better than all are.
  package func randomSampleAnswers() throws -> [(sample: Int, isKnownRight: Bool, isSure: Bool)] {
    try verifiedImages().images.filter(\.isDrawn).map { image in
      (image.sample, image.answer.isRight ?? false, image.answer.isRight != nil)
    }
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
          client: row["client"], correction: row["correct"],
          selection: (row["chosen"] as String?).flatMap(VerificationRecord.Selection.init),
          remark: (row["remark"] as String?).flatMap(VerificationRecord.Remark.init))
      }
    }
  }
}
