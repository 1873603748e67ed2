import GRDB
import GRDBSQLite

/// The hashes of the keys of one import, by which equal keys are found without an index of texts.
///
/// Hash and sample lie in one word, so that ten million take 80 MB and sort in seconds. At that number some
/// ten thousand pairs of different keys share a hash of 32 bits; comparing those costs nothing. Keys that
/// differ only in upper and lower case share theirs, so that they are found along the way.
struct KeyHashes {
  private var words: [UInt64] = []

  mutating func add(_ key: String, offset: Int) {
    precondition(offset <= UInt32.max, "a source holds more than 2³² samples")
    words.append(UInt64(Self.hash(key)) << 32 | UInt64(offset))
  }

  static func hash(_ key: String) -> UInt32 {
    var hash = StableHash()
    hash.combine(folded(key))
    return UInt32(truncatingIfNeeded: hash.word)
  }

  /// The key without the difference of upper and lower case.
  private static func folded(_ key: String) -> String {
    // Most keys are plain lower case, which is told much faster than a new text is made.
    key.utf8.contains { (0x41...0x5A).contains($0) || $0 >= 0x80 } ? key.lowercased() : key
  }

  /// How two keys meet.
  enum Likeness {
    case equal, equalButForCase
  }

  mutating func sort() { words.sort() }

  /// The pairs of samples whose keys are equal, or would be without upper and lower case; the later one
  /// first. Needs sorted hashes, and the samples in the catalogue.
  ///
  /// - Parameter first: The number of the import's first sample; those before are compared with too.
  func duplicates(
    _ db: Database, first: Int, _ found: (_ sample: Int, _ earlier: Int, Likeness) throws -> Void
  ) throws {
    let key = try db.makeStatement(sql: "SELECT key FROM samples WHERE id = ?")
    let earlier = try db.makeStatement(
      sql: "SELECT sample FROM sampleKeys JOIN samples ON id = sample WHERE hash = ? AND gone IS NULL")
    var start = 0
    while start < words.count {
      let hash = words[start] >> 32
      var end = start + 1
      while end < words.count, words[end] >> 32 == hash { end += 1 }
      var candidates = first > 0 ? try Self.samples(earlier, hash: Int64(hash)) : []
      candidates += words[start..<end].map { first + Int($0 & 0xFFFF_FFFF) }
      if candidates.count > 1 {
        // By bytes: texts are equal also where Unicode writes one in two ways.
        var seen: [[UInt8]: Int] = [:]
        var seenFolded: [[UInt8]: Int] = [:]
        for sample in candidates {
          let text = try String.fetchOne(key, arguments: [sample]) ?? ""
          if let other = seen.updateIfMissing(Array(text.utf8), sample) {
            try found(sample, other, .equal)
          } else if let other = seenFolded.updateIfMissing(Array(Self.folded(text).utf8), sample),
            sample >= first
          {
            try found(sample, other, .equalButForCase)
          }
        }
      }
      start = end
    }
  }

  private static func samples(_ statement: Statement, hash: Int64) throws -> [Int] {
    let raw = statement.sqliteStatement
    sqlite3_bind_int64(raw, 1, hash)
    defer { sqlite3_reset(raw) }
    var samples: [Int] = []
    while true {
      let code = sqlite3_step(raw)
      if code == SQLITE_DONE { return samples }
      guard code == SQLITE_ROW else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
      samples.append(Int(sqlite3_column_int64(raw, 0)))
    }
  }

  /// Adds the hashes to the catalogue, in their order.
  func save(_ db: Database, first: Int) throws {
    let statement = try db.makeStatement(sql: "INSERT INTO sampleKeys VALUES (?, ?)")
    let raw = statement.sqliteStatement
    for word in words {
      sqlite3_bind_int64(raw, 1, Int64(word >> 32))
      sqlite3_bind_int64(raw, 2, Int64(first) + Int64(word & 0xFFFF_FFFF))
      let code = sqlite3_step(raw)
      sqlite3_reset(raw)
      guard code == SQLITE_DONE else {
        throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
      }
    }
  }
}

extension Dictionary {
  /// The value that is there under the key; else `value` is from now on.
  fileprivate mutating func updateIfMissing(_ key: Key, _ value: Value) -> Value? {
    if let known = self[key] { return known }
    self[key] = value
    return nil
  }
}
