import Files
import Foundation
import GRDB

/// The order in which the images of every class are drawn at random.
///
/// An image's rank follows from its number and the seed alone. Nothing that a model or a person thinks of an image moves
/// it, and the images of a class, sorted by rank, are a random permutation: any beginning of it is a fair sample.
package struct DrawOrder: Sendable, Hashable {
  package let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  /// Images of lower rank are drawn before others of their class.
  package func rank(of sample: Int) -> UInt64 {
    ((seed &+ 0x9E37_79B9_7F4A_7C15).splitMixed ^ UInt64(bitPattern: Int64(sample))).splitMixed
  }

  /// The samples in the order in which they are drawn.
  package func sorted(_ samples: some Sequence<Int>) -> [Int] {
    samples.map { (rank: rank(of: $0), sample: $0) }.sorted { ($0.rank, $0.sample) < ($1.rank, $1.sample) }
      .map(\.sample)
  }
}

extension Workspace {
  private static let seedName = "drawSeed"

  /// The order in which images are drawn: by the seed that was chosen, else by 0.
  package func drawOrder() throws -> DrawOrder {
    DrawOrder(seed: try read(Self.drawSeed) ?? 0)
  }

  /// Chooses the seed of the order in which images are drawn. The first choice holds for good: a sample that was drawn by
  /// two orders would be none.
  ///
  /// - Returns: The order that holds.
  @discardableResult
  package func chooseDrawOrder(seed: UInt64) throws -> DrawOrder {
    if let known = try read(Self.drawSeed) { return DrawOrder(seed: known) }
    return try write { db in
      try db.execute(
        sql: "INSERT OR IGNORE INTO meta VALUES (?, ?)", arguments: [Self.seedName, String(seed)])
      return DrawOrder(seed: try Self.drawSeed(db) ?? seed)
    }
  }

  static func drawSeed(_ db: Database) throws -> UInt64? {
    try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = ?", arguments: [seedName])
      .flatMap { UInt64($0) }
  }
}
