import Foundation
import GRDB

/// The verdicts of people who looked, and the random samples that stand for all images.
public struct VerifiedImages: Sendable, Hashable {
  /// One image that somebody has looked at.
  public struct Image: Sendable, Hashable {
    public var sample: Int
    /// The label that was judged, which is the image's present one.
    public var label: Int
    /// Never `withdrawn`.
    public var answer: VerificationAnswer
    /// The person who said so, and when.
    public var person: String
    public var date: Date
    /// Why the image was shown to that person, if it is known.
    public var selection: VerificationRecord.Selection?
    /// The class that is right, if the person said which.
    public var correction: Int?
    /// The person's further remark about the image.
    public var remark: VerificationRecord.Remark?
    /// Whether the image belongs to its class's random sample. Only such images may carry shares, intervals and bounds;
    /// all others only help the model.
    public var isDrawn: Bool
  }

  /// By sample.
  public let images: [Image]
  /// The random samples of the classes that have one, by class.
  public let samples: [ClassSample]
}

extension Workspace {
  /// The verdicts of people who looked; suggestions that were accepted unseen are left out.
  ///
  /// Costs as much as there are answers, and one pass over the samples if any were drawn at random.
  public func verifiedImages() throws -> VerifiedImages {
    try read { db in
      let answers = CurrentAnswer.of(try Voice.fetch(db)).filter { $0.origin != .accepted }
      let samples = try Self.classSamples(of: answers, db)
      let drawn = Set(samples.lazy.flatMap(\.drawn))
      return VerifiedImages(
        images: answers.map { answer in
          VerifiedImages.Image(
            sample: answer.sample, label: answer.label, answer: answer.answer, person: answer.person,
            date: answer.date, selection: answer.selection,
            correction: answer.correction, remark: answer.remark, isDrawn: drawn.contains(answer.sample))
        }, samples: samples)
    }
  }

  /// The random samples of all classes that have one.
  private static func classSamples(of answers: [CurrentAnswer], _ db: Database) throws -> [ClassSample] {
    let order = DrawOrder(seed: try drawSeed(db) ?? 0)
    // By class the highest rank that matters: images drawn later were neither drawn nor declared.
    var horizons: [Int: UInt64] = [:]
    for answer in answers where answer.wasDrawn || answer.isDeclared {
      horizons[answer.label] = max(horizons[answer.label] ?? 0, order.rank(of: answer.sample))
    }
    guard !horizons.isEmpty else { return [] }
    var counts: [Int: Int] = [:]
    var members: [Int: [Int]] = [:]
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT id, class FROM samples
        WHERE gone IS NULL AND split <> coalesce((SELECT id FROM splits WHERE name = 'test'), -1)
          AND id NOT IN (SELECT sample FROM problems)
        """)
    while let row = try rows.next() {
      let sample: Int = row[0]
      let label: Int = row[1]
      guard let horizon = horizons[label] else { continue }
      counts[label, default: 0] += 1
      if order.rank(of: sample) <= horizon { members[label, default: []].append(sample) }
    }
    let bySample = Dictionary(uniqueKeysWithValues: answers.map { ($0.sample, $0) })
    return members.sorted { $0.key < $1.key }.compactMap { label, members in
      let sample = ClassSample(
        label: label, members: members, images: counts[label] ?? members.count, order: order,
        answer: { bySample[$0] })
      return sample.drawn.isEmpty ? nil : sample
    }
  }
}
