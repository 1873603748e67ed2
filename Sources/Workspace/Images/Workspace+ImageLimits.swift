import Foundation
import GRDB
import Images

extension Workspace {
  private static let limitsName = "imageLimits"

  private struct StoredLimits: Codable {
    var pixels: Int
    var takesTruncated: Bool
  }

  /// Which images all stages, the review page and the report decode.
  package func imageLimits() throws -> ImageLimits {
    let text = try read {
      try String.fetchOne($0, sql: "SELECT value FROM meta WHERE name = ?", arguments: [Self.limitsName])
    }
    guard let text, let stored = try? JSONDecoder().decode(StoredLimits.self, from: Data(text.utf8)) else {
      return ImageLimits()
    }
    return ImageLimits(pixels: stored.pixels, takesTruncated: stored.takesTruncated)
  }

  /// Changes that. Images that were refused under other limits are looked at again by the next `embed`.
  package func setImageLimits(_ limits: ImageLimits) throws {
    guard try imageLimits() != limits else { return }
    let stored = StoredLimits(pixels: limits.pixels, takesTruncated: limits.takesTruncated)
    let text = String(decoding: try JSONEncoder().encode(stored), as: UTF8.self)
    try write { db in
      try db.execute(
        sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)", arguments: [Self.limitsName, text])
      try Self.forgetUndecodable(db)
    }
  }
}
