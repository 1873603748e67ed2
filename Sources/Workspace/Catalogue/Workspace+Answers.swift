import Foundation
import GRDB

/// The answer that holds for one sample's label.
public struct CurrentAnswer: Sendable, Hashable {
  public var sample: Int
  /// The sample's present label, which was judged.
  public var label: Int
  /// Never `withdrawn`.
  public var answer: VerificationAnswer
  /// The person who said so, and when.
  public var person: String
  public var date: Date
  public var origin: VerificationRecord.Origin
  /// The class that is right, if the person said which.
  public var correction: Int?
  /// That person's further remark about the image.
  public var remark: VerificationRecord.Remark?
  /// Why the image was shown to the person whose answer holds. It does not say whether the image is part of the random
  /// sample: see ``ClassSample``.
  public var selection: VerificationRecord.Selection?
  /// Whether people who looked at the image say different things, and nobody has settled it.
  public var isDisputed: Bool
  /// Whether the image was ever handed out as the next one of its class's ``DrawOrder``, and answered.
  public var wasDrawn: Bool
  /// Whether somebody has declared that the image was drawn at random.
  public var isDeclared: Bool
}

/// One person's last answer about one sample's present label.
public struct Voice: Sendable, Hashable {
  /// Grows with time.
  public var id: Int
  public var sample: Int
  public var label: Int
  public var answer: VerificationAnswer
  public var person: String
  public var date: Date
  public var origin: VerificationRecord.Origin
  public var correction: Int?
  public var remark: VerificationRecord.Remark?
  public var selection: VerificationRecord.Selection?
  /// Whether any of the person's answers on the label came so; see ``CurrentAnswer``.
  public var wasDrawn: Bool
  public var isDeclared: Bool

  /// Somebody who looked and knows counts before a suggestion accepted unseen, that before somebody who could not tell,
  /// and the later answer before the earlier.
  fileprivate var rank: (Int, Int) {
    (answer.isRight == nil ? 0 : origin == .accepted ? 1 : 2, id)
  }

  /// All voices, withdrawn ones included; by sample. SQLite takes the other columns of a group from the row that `max`
  /// comes from.
  ///
  /// - Parameter id: Only of samples that somebody answered on after the answer of that number.
  static func fetch(_ db: Database, after id: Int? = nil) throws -> [Voice] {
    let isAmongThem =
      id == nil ? "" : "WHERE v.sample IN (SELECT sample FROM verifications WHERE id > :id)"
    return try Row.fetchAll(
      db,
      sql: """
        SELECT max(v.id), v.sample, v.class, v.answer, v.person, v.how, v.correct, v.chosen,
          total(v.chosen = 'drawn') > 0, total(v.chosen = 'random') > 0, v.at, v.remark
        FROM verifications v JOIN samples s ON s.id = v.sample AND s.class = v.class AND v.how <> 'trial'
          AND s.gone IS NULL
        \(isAmongThem) GROUP BY v.sample, v.person ORDER BY v.sample
        """, arguments: id.map { ["id": $0] } ?? [:]
    ).map { row in
      Voice(
        id: row[0], sample: row[1], label: row[2], answer: VerificationAnswer(stored: row[3]), person: row[4],
        date: Date(timeIntervalSince1970: row[10]),
        origin: VerificationRecord.Origin(rawValue: row[5]) ?? .imported, correction: row[6],
        remark: (row[11] as String?).flatMap(VerificationRecord.Remark.init),
        selection: (row[7] as String?).flatMap(VerificationRecord.Selection.init), wasDrawn: row[8],
        isDeclared: row[9])
    }
  }
}

extension CurrentAnswer {
  /// The answer that holds for each sample, by sample; samples without an answer are left out.
  ///
  /// - Parameter voices: By sample.
  static func of(_ voices: [Voice]) -> [CurrentAnswer] {
    var answers: [CurrentAnswer] = []
    for group in voices.chunked() {
      let heard = group.filter { $0.answer != .withdrawn }
      guard let last = heard.max(by: { $0.rank < $1.rank }) else { continue }
      answers.append(
        CurrentAnswer(
          sample: last.sample, label: last.label, answer: last.answer, person: last.person, date: last.date,
          origin: last.origin, correction: last.correction, remark: last.remark, selection: last.selection,
          isDisputed: isDisputed(heard), wasDrawn: group.contains(where: \.wasDrawn),
          isDeclared: group.contains(where: \.isDeclared)))
    }
    return answers
  }

  private static func isDisputed(_ voices: some Collection<Voice>) -> Bool {
    let decided = voices.filter { $0.answer.isRight != nil && $0.origin != .accepted }
    guard let last = decided.max(by: { $0.id < $1.id }), last.origin != .settled else { return false }
    return decided.contains { $0.answer != last.answer }
  }
}

extension [Voice] {
  /// The runs of voices on one sample.
  fileprivate func chunked() -> [ArraySlice<Voice>] {
    var chunks: [ArraySlice<Voice>] = []
    var start = startIndex
    for index in indices.dropFirst() where self[index].sample != self[start].sample {
      chunks.append(self[start..<index])
      start = index
    }
    if start < endIndex { chunks.append(self[start...]) }
    return chunks
  }
}

extension Workspace {
  /// The answers that hold now, by sample. Of each person the last answer on a sample's present label counts; of several
  /// people, the last one who could tell.
  public func currentAnswers() throws -> [CurrentAnswer] {
    try read { db in CurrentAnswer.of(try Voice.fetch(db)) }
  }

  /// People's answers about some samples' labels, and the answers that hold.
  package struct AnswerChanges: Sendable {
    /// The number of the last answer that is taken into account.
    public var last: Int
    /// Each person's last answers, withdrawn ones included, by sample.
    public var voices: [Voice]
    public var answers: [CurrentAnswer]
  }

  /// The present state of all samples that somebody answered on after the answer of some number.
  ///
  /// - Parameter id: The value of `last` from an earlier call; nil: all samples.
  package func answerChanges(after id: Int?) throws -> AnswerChanges {
    try read { db in
      let last = try Int.fetchOne(db, sql: "SELECT coalesce(max(id), 0) FROM verifications") ?? 0
      guard id != last else { return AnswerChanges(last: last, voices: [], answers: []) }
      let voices = try Voice.fetch(db, after: id)
      return AnswerChanges(last: last, voices: voices, answers: CurrentAnswer.of(voices))
    }
  }

  /// Each person's answers about some samples, withdrawn answers left out.
  public func voices(on samples: some Sequence<Int>) throws -> [Int: [Voice]] {
    try read { db in
      let wanted = Set(samples)
      let voices = try Voice.fetch(db).filter { wanted.contains($0.sample) && $0.answer != .withdrawn }
      return Dictionary(grouping: voices, by: \.sample)
    }
  }
}
