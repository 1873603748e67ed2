import GRDB

/// Counts samples whose keys differ only in upper and lower case from those of earlier ones, and names
/// the first.
///
/// No error: Linux keeps such files apart. Where a data set is copied to macOS or Windows, it loses them.
struct CaseNotice {
  /// How many pairs are named.
  private static let named = 3

  private var count = 0
  /// In the order of the source.
  private var first: [(sample: Int, earlier: Int)] = []

  mutating func add(_ sample: Int, _ earlier: Int) {
    count += 1
    if first.count == Self.named, let last = first.last, last.sample < sample { return }
    first.append((sample, earlier))
    first.sort { $0.sample < $1.sample }
    first = Array(first.prefix(Self.named))
  }

  func notices(_ db: Database) throws -> [String] {
    if count == 0 { return [] }
    let key = try db.makeStatement(sql: "SELECT key FROM samples WHERE id = ?")
    let pairs = try first.map { pair in
      let texts = try [pair.earlier, pair.sample].map { try String.fetchOne(key, arguments: [$0]) ?? "" }
      return texts.map { "\"\($0)\"" }.joined(separator: " and ")
    }
    let more = count > pairs.count ? ", …" : ""
    return [
      "keys that differ from another only in upper and lower case: \(count) "
        + "(\(pairs.joined(separator: ", "))\(more)); "
        + "if these name files, one overwrites the other on macOS and Windows"
    ]
  }
}
