import GRDB

/// The contents of a workspace.
public struct WorkspaceStatus: Sendable, Hashable {
  public struct Split: Sendable, Hashable {
    public var name: String
    public var samples: Int
  }

  public struct ClassStatus: Sendable, Hashable {
    public var name: String
    /// All splits together.
    public var samples = 0
    /// Samples whose label a person found right, wrong, or could not judge.
    public var right = 0
    public var wrong = 0
    public var unsure = 0
  }

  public struct Features: Sendable, Hashable {
    public var set: FeatureSet
    /// Samples in complete shards, including samples of bad images.
    public var samples: Int
  }

  /// Without samples that are gone from their source.
  public var samples: Int
  /// The samples' numbers lie below it.
  public var numbers: Int
  public var splits: [Split]
  /// By class number.
  public var classes: [ClassStatus]
  public var sources: [ImportedSource]
  /// Images that a stage could not use.
  public var problems: Int
  public var features: [Features]
}

extension Workspace {
  /// Counts what is there. Costs as much as there are classes and verification labels, not samples.
  public func status() throws -> WorkspaceStatus {
    let sources = try sources()
    let features = try featureSets()
    return try read { db in
      let samples = try Int.fetchOne(db, sql: "SELECT coalesce(max(id) + 1, 0) FROM samples") ?? 0
      let present = try Int.fetchOne(db, sql: "SELECT coalesce(sum(samples), 0) FROM counts") ?? 0
      var classes = try String.fetchAll(db, sql: "SELECT name FROM classes ORDER BY id").map {
        WorkspaceStatus.ClassStatus(name: $0)
      }
      for row in try Row.fetchAll(db, sql: "SELECT class, sum(samples) FROM counts GROUP BY class") {
        guard classes.indices.contains(row[0] as Int) else { throw Self.unknownClass(row[0]) }
        classes[row[0] as Int].samples = row[1]
      }
      for answer in CurrentAnswer.of(try Voice.fetch(db)) where answer.origin != .accepted {
        guard classes.indices.contains(answer.label) else { throw Self.unknownClass(answer.label) }
        switch answer.answer {
        case .right: classes[answer.label].right += 1
        case .wrong: classes[answer.label].wrong += 1
        default: classes[answer.label].unsure += 1
        }
      }
      return WorkspaceStatus(
        samples: present, numbers: samples,
        splits: try Row.fetchAll(
          db,
          sql: """
            SELECT name, coalesce(sum(samples), 0) FROM splits LEFT JOIN counts ON split = id
            GROUP BY id ORDER BY id
            """
        ).map { WorkspaceStatus.Split(name: $0[0], samples: $0[1]) },
        classes: classes, sources: sources,
        problems: try Int.fetchOne(db, sql: "SELECT count(DISTINCT sample) FROM problems") ?? 0,
        features: features.map { WorkspaceStatus.Features(set: $0, samples: $0.coverage(of: samples)) })
    }
  }

  static func unknownClass(_ number: Int) -> DatabaseError {
    DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the class \(number) is not there")
  }

  /// The content that a stage's outcome depends on, for its key.
  package enum Content: String, Sendable, Codable {
    /// The samples' keys and paths.
    case images
    /// The samples' labels and splits.
    case labels
    /// People's verdicts on labels, the classes they say are right, and the images that stand for others.
    case verifications
  }

  /// A hash of some content. Costs as much as there are verification labels. Image files that change under an unchanged
  /// name count once `noteImageChange` says so.
  package func fingerprint(of contents: Content...) throws -> String {
    var hash = StableHash()
    for content in contents {
      hash.combine(content.rawValue)
      switch content {
      case .images:
        hash.combine(try read { try SampleSums(stored: $0).images })
        if let changes = try meta("imageChanges") { hash.combine(changes) }
      case .labels:
        hash.combine(try read { try SampleSums(stored: $0).labels })
      case .verifications:
        for image in try verifiedImages().images {
          hash.combine(image.sample)
          hash.combine((image.answer.stored ?? 3) << 1 | (image.isDrawn ? 1 : 0))
          hash.combine(image.correction ?? -1)
          if let remark = image.remark { hash.combine(remark.rawValue) }
        }
        for (person, quality) in try read({ try Self.trials($0) }).sorted(by: { $0.key < $1.key }) {
          hash.combine(person)
          hash.combine(quality.trials)
          hash.combine(quality.missed)
        }
      }
    }
    return hash.text
  }

  /// Notes that some images are others now, or can be read where they could not, so that what follows from them is out
  /// of date.
  package func noteImageChange() throws {
    let before = try meta("imageChanges") ?? ""
    try write { db in
      try db.execute(
        sql: "INSERT OR REPLACE INTO meta VALUES ('imageChanges', ?)",
        arguments: [StableHash.of(before, "changed")])
    }
  }

  private func meta(_ name: String) throws -> String? {
    try read { try String.fetchOne($0, sql: "SELECT value FROM meta WHERE name = ?", arguments: [name]) }
  }
}
