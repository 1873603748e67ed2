import Datasets
import GRDB

/// A sample as the catalogue holds it.
public struct StoredSample: Sendable, Hashable {
  /// Its number: 0, 1, … in the order of the manifests.
  public var id: Int
  public var key: String
  public var path: String
  public var location: ImageLocation
  /// The number of its label's class; see `Workspace.classNames`.
  public var label: Int
  public var split: String
  /// In the order of the source's columns.
  public var attributes: [SampleAttribute]
}

extension Workspace {
  /// The number of samples, including samples that are gone from their source; all their numbers are below it.
  public func sampleCount() throws -> Int {
    try read { try Int.fetchOne($0, sql: "SELECT coalesce(max(id) + 1, 0) FROM samples") ?? 0 }
  }

  /// Whether any sample has an image; others are features alone.
  public func hasImages() throws -> Bool {
    let sql = "SELECT EXISTS (SELECT 1 FROM samples WHERE location IS NULL OR location <> '')"
    return try read { try Bool.fetchOne($0, sql: sql) ?? false }
  }

  /// The names of the classes, by number: in order of first appearance. Imports add some at the end.
  public func classNames() throws -> [String] { try names("classes") }

  /// The names of the splits.
  public func splitNames() throws -> [String] { try names("splits") }

  /// The names of the further columns.
  public func attributeNames() throws -> [String] { try names("attributes") }

  private func names(_ table: String) throws -> [String] {
    try read { try String.fetchAll($0, sql: "SELECT name FROM \(table) ORDER BY id") }
  }

  /// Passes samples in order, all of one state of the catalogue, holding one at a time. Samples that are gone from
  /// their source are left out, here and wherever samples are asked for.
  public func forEachSample(in range: Range<Int>? = nil, _ each: (StoredSample) throws -> Void) throws {
    try read { db in
      let reader = try SampleRows(db, downloads)
      let range = range ?? 0..<Int.max
      let rows = try Row.fetchCursor(
        db, sql: "SELECT * FROM samples WHERE id >= ? AND id < ? AND gone IS NULL ORDER BY id",
        arguments: [range.lowerBound, range.upperBound])
      while let row = try rows.next() { try each(try reader.sample(row)) }
    }
  }

  /// The samples of a range that are there.
  public func samples(in range: Range<Int>) throws -> [StoredSample] {
    var samples: [StoredSample] = []
    try forEachSample(in: range) { samples.append($0) }
    return samples
  }

  /// The samples that have these numbers and are there, in the order given.
  public func samples(_ ids: some Sequence<Int>) throws -> [StoredSample] {
    try read { db in
      let reader = try SampleRows(db, downloads)
      let statement = try db.makeStatement(sql: "SELECT * FROM samples WHERE id = ? AND gone IS NULL")
      return try ids.compactMap { try Row.fetchOne(statement, arguments: [$0]).map(reader.sample) }
    }
  }

  /// The sample of that number.
  public func sample(_ id: Int) throws -> StoredSample? {
    try samples(CollectionOfOne(id)).first
  }

  /// The sample of that key.
  public func sample(key: String) throws -> StoredSample? {
    try read { db in try SampleRows(db, downloads).sample(key: key, db) }
  }

  /// The number of the sample of each key; `nil` for keys that are not there.
  public func ids(ofKeys keys: some Sequence<String>) throws -> [Int?] {
    try read { db in
      let statement = try SampleRows.idStatement(db)
      return try keys.map { try SampleRows.id(key: $0, statement) }
    }
  }

  /// Each sample's class, the index being its number.
  ///
  /// - Parameter takesPart: Samples of splits that it refuses get −1, as do samples that are gone from their source.
  public func labels(where takesPart: (_ split: String) -> Bool = { _ in true }) throws -> [Int32] {
    try read { db in
      let splits = try String.fetchAll(db, sql: "SELECT name FROM splits ORDER BY id").map(takesPart)
      let classes = try Int32.fetchOne(db, sql: "SELECT count(*) FROM classes") ?? 0
      return try column(db, "class, split, gone") { row in
        let label = row[0] as Int32
        let split = row[1] as Int
        guard (0..<classes).contains(label), splits.indices.contains(split) else {
          throw Self.unknownClass(Int(label))
        }
        return splits[split] && row[2] as Double? == nil ? label : -1
      }
    }
  }

  /// Each sample's split, as an index into `splitNames()`.
  public func splits() throws -> [Int32] {
    try read { db in try column(db, "split") { $0[0] } }
  }

  /// Each sample's key.
  public func keys() throws -> [String] {
    try read { db in try column(db, "key") { $0[0] } }
  }

  /// Each sample's value of a further column, such as a truth label; `nil` where it has none.
  ///
  /// - Throws: `WorkspaceError` if no sample has such a column.
  public func attribute(_ name: String) throws -> [String?] {
    try read { db in
      let names = try String.fetchAll(db, sql: "SELECT name FROM attributes ORDER BY id")
      guard let wanted = names.firstIndex(of: name) else {
        throw WorkspaceError(
          .notFound, file: path, "has no column \"\(name)\"",
          remedy: names.isEmpty
            ? "The imported sources have no further columns"
            : "Columns are: \(names.map { "\"\($0)\"" }.joined(separator: ", "))")
      }
      return try column(db, "attributes, gone") { row in
        var value: String?
        guard row[1] as Double? == nil else { return nil }
        SampleRows.withBlob(row, 0) { bytes in
          AttributeCoding.read(bytes) { name, text in
            if name == wanted { value = String(decoding: text, as: UTF8.self) }
            return value == nil
          }
        }
        return value
      }
    }
  }

  private func column<Value>(_ db: Database, _ columns: String, _ value: (Row) throws -> Value) throws
    -> [Value]
  {
    var values: [Value] = []
    values.reserveCapacity(try Int.fetchOne(db, sql: "SELECT coalesce(max(id) + 1, 0) FROM samples") ?? 0)
    let rows = try Row.fetchCursor(db, sql: "SELECT \(columns) FROM samples ORDER BY id")
    while let row = try rows.next() { values.append(try value(row)) }
    return values
  }
}

/// Turns rows of `samples` into values.
struct SampleRows {
  private let segments: Segments
  private let splits: [String]
  private let attributes: [String]
  private let classes: Int

  init(_ db: Database, _ downloads: DownloadPlaces) throws {
    segments = try Segments(db, downloads)
    splits = try String.fetchAll(db, sql: "SELECT name FROM splits ORDER BY id")
    attributes = try String.fetchAll(db, sql: "SELECT name FROM attributes ORDER BY id")
    classes = try Int.fetchOne(db, sql: "SELECT count(*) FROM classes") ?? 0
  }

  func sample(_ row: Row) throws -> StoredSample {
    let id: Int = row[0]
    let label = row[1] as Int
    let split = row[2] as Int
    guard (0..<classes).contains(label), splits.indices.contains(split) else {
      throw Workspace.unknownClass(label)
    }
    let key: String = row[4]
    let path: String = row[5] ?? key
    var values: [SampleAttribute] = []
    Self.withBlob(row, 7) { bytes in
      AttributeCoding.read(bytes) { name, text in
        guard attributes.indices.contains(name) else { return false }
        values.append(SampleAttribute(name: attributes[name], value: String(decoding: text, as: UTF8.self)))
        return true
      }
    }
    return StoredSample(
      id: id, key: key, path: path, location: segments[id].location(row[6], path: path), label: label,
      split: splits[split], attributes: values)
  }

  func sample(key: String, _ db: Database) throws -> StoredSample? {
    guard let id = try Self.id(key: key, Self.idStatement(db)) else { return nil }
    return try Row.fetchOne(db, sql: "SELECT * FROM samples WHERE id = ?", arguments: [id]).map(sample)
  }

  static func idStatement(_ db: Database) throws -> Statement {
    try db.makeStatement(
      sql: "SELECT id FROM sampleKeys JOIN samples ON id = sample WHERE hash = ? AND key = ? AND gone IS NULL"
    )
  }

  static func id(key: String, _ statement: Statement) throws -> Int? {
    try Int.fetchOne(statement, arguments: [Int64(KeyHashes.hash(key)), key])
  }

  static func withBlob(_ row: Row, _ index: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    try? row.withUnsafeData(atIndex: index) { data in
      data?.withUnsafeBytes(body)
    }
  }
}
