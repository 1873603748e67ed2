import GRDB

/// How carefully a person answers.
package struct ReviewerQuality: Sendable, Hashable {
  /// Images of another class that were shown to the person as if they were of this one, and how many were taken for it.
  package var trials = 0
  package var missed = 0
  /// Images that somebody else answered, too, before anything was settled, and on how many the two agree.
  package var shared = 0
  package var agreed = 0
  /// Cohen's kappa of these answers with the others': agreement beyond what chance would give; nil where it is not defined.
  package var kappa: Double?

  /// How often the person is mistaken: what trials say, beside ``usualSlips`` of 25 answers as experience from before.
  package var slipRate: Double {
    min(0.45, (Double(missed) + Self.usualSlips) / (Double(trials) + 25))
  }
  /// Of 25 quick answers; 2 %.
  private static let usualSlips = 0.5
}

extension Workspace {
  /// The quality of each person's answers, from trials and shared images.
  package func reviewerQuality() throws -> [String: ReviewerQuality] {
    try read { db in
      var found = try Self.trials(db)
      let voices = try Voice.fetch(db).filter { $0.answer.isRight != nil && $0.origin == .reviewed }
      for (person, table) in Agreement.tables(of: voices) {
        found[person, default: ReviewerQuality()].shared = table.count
        found[person, default: ReviewerQuality()].agreed = table.agreed
        found[person, default: ReviewerQuality()].kappa = table.kappa
      }
      return found
    }
  }

  /// The quality of each person who had any trials, from those alone.
  static func trials(_ db: Database) throws -> [String: ReviewerQuality] {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT person, count(*), total(answer = 1) FROM verifications v
        WHERE how = 'trial' AND client NOT LIKE 'undo:%'
          AND NOT EXISTS (SELECT 1 FROM verifications u WHERE u.client = 'undo:' || v.client)
        GROUP BY person
        """)
    return Dictionary(
      uniqueKeysWithValues: rows.map { row in
        var quality = ReviewerQuality()
        quality.trials = row[1]
        quality.missed = row[2]
        return (row[0], quality)
      })
  }

  /// How often whoever answered on each sample is mistaken. Answers that were imported, simulated or settled are taken as
  /// they are, and have none.
  package func slipRates() throws -> [Int: Double] {
    let quality = try read { try Self.trials($0) }
    return Dictionary(
      uniqueKeysWithValues: try currentAnswers().filter { $0.origin == .reviewed }
        .map { ($0.sample, quality[$0.person, default: ReviewerQuality()].slipRate) })
  }
}

/// The answers of two people on the same images, as a two by two table.
struct Agreement: Sendable, Hashable {
  var bothRight = 0
  var bothWrong = 0
  var onlyFirstRight = 0
  var onlySecondRight = 0

  var count: Int { bothRight + bothWrong + onlyFirstRight + onlySecondRight }
  var agreed: Int { bothRight + bothWrong }

  mutating func add(_ first: Bool, _ second: Bool) {
    switch (first, second) {
    case (true, true): bothRight += 1
    case (false, false): bothWrong += 1
    case (true, false): onlyFirstRight += 1
    case (false, true): onlySecondRight += 1
    }
  }

  /// (p_o − p_e) / (1 − p_e), p_e from how often each says right (Cohen 1960); nil without images, or where chance alone
  /// agrees always.
  var kappa: Double? {
    guard count > 0 else { return nil }
    let total = Double(count)
    let first = Double(bothRight + onlyFirstRight) / total
    let second = Double(bothRight + onlySecondRight) / total
    let chance = first * second + (1 - first) * (1 - second)
    return chance < 1 ? (Double(agreed) / total - chance) / (1 - chance) : nil
  }

  /// Each person against everybody else.
  ///
  /// - Parameter voices: By sample; each person's last word on it.
  static func tables(of voices: [Voice]) -> [String: Agreement] {
    var tables: [String: Agreement] = [:]
    for group in Dictionary(grouping: voices, by: \.sample).values where group.count > 1 {
      for one in group {
        for other in group where other.person != one.person {
          guard let first = one.answer.isRight, let second = other.answer.isRight else { continue }
          tables[one.person, default: Agreement()].add(first, second)
        }
      }
    }
    return tables
  }
}
