import GRDB

/// The answers that a person gave at one moment: a page of images, one image, or many suggestions accepted.
package struct AnswerAction: Sendable, Hashable {
  /// In seconds since 1970, exactly as it is kept.
  package var moment: Double
  package var answers: Int
  package var right: Int
  package var wrong: Int
  package var unsure: Int
  /// The class, if all are of one.
  package var label: Int?
  /// Whether suggestions were accepted unseen.
  package var isAccepted: Bool
}

extension Workspace {
  /// How many answers a person has given on the page since a moment and not taken back; a second look at an image counts
  /// again.
  ///
  /// - Parameter since: In seconds since 1970.
  package func answersGiven(by person: String, since: Double) throws -> Int {
    try read { db in
      try Int.fetchOne(
        db,
        sql: """
          SELECT count(*) FROM verifications v
          WHERE person = ? AND at > ? AND how IN ('review', 'settle', 'trial') AND client NOT LIKE 'undo:%'
            AND NOT EXISTS (SELECT 1 FROM verifications u WHERE u.client = 'undo:' || v.client)
          """, arguments: [person, since]) ?? 0
    }
  }

  /// The answers that a person has given on the page and not taken back, the last first.
  ///
  /// Answers that the same person has replaced since count no more: there is nothing of them to take back.
  package func actions(of person: String, limit: Int) throws -> [AnswerAction] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT at, count(*), total(answer = 1), total(answer = 0), total(answer = 2), min(class), max(class),
            total(how = 'accept') > 0
          FROM verifications v
          WHERE person = ? AND how IN ('review', 'settle', 'accept') AND client NOT LIKE 'undo:%'
            AND NOT EXISTS (SELECT 1 FROM verifications u WHERE u.client = 'undo:' || v.client)
            AND NOT EXISTS (
              SELECT 1 FROM verifications w
              WHERE w.sample = v.sample AND w.class = v.class AND w.person = v.person AND w.id > v.id
                AND w.client NOT LIKE 'undo:%'
                AND NOT EXISTS (SELECT 1 FROM verifications u WHERE u.client = 'undo:' || w.client))
          GROUP BY at ORDER BY at DESC LIMIT ?
          """, arguments: [person, limit]
      ).map { row in
        let label: Int = row[5]
        return AnswerAction(
          moment: row[0], answers: row[1], right: row[2], wrong: row[3], unsure: row[4],
          label: label == row[6] ? label : nil, isAccepted: row[7])
      }
    }
  }
}
