import Datasets
import Foundation
import GRDB
import GRDBSQLite

/// Puts the samples of one import into the catalogue, within a transaction that the caller holds.
///
/// Values are bound through SQLite's own functions: with millions of rows, wrapping each value costs more
/// than storing it.
final class SampleInserter {
  let first: Int
  private(set) var count = 0
  private(set) var classes: NameTable
  private(set) var splits: NameTable
  private(set) var attributes: NameTable
  private(set) var keys = KeyHashes()
  private(set) var sums = SampleSums()
  private var containers = ContainerNotes()
  private var classWords: [UInt64] = []
  private var splitWords: [UInt64] = []
  /// Whether some images are still to be downloaded.
  private(set) var hasDownloads = false
  private let downloads: DownloadPlaces
  private var counts: [Cell: Int] = [:]
  private let db: Database
  private let insert: Statement
  private let verify: Statement
  private let now = Date.now.timeIntervalSince1970
  /// The texts of the row being bound, which SQLite reads from here.
  private var texts: [UInt8] = []
  private var blob: [UInt8] = []
  private var segment: (file: String?, base: String?)?

  private struct Cell: Hashable {
    var split: Int
    var label: Int
  }

  init(_ db: Database, downloads: DownloadPlaces) throws {
    self.db = db
    self.downloads = downloads
    first = try Int.fetchOne(db, sql: "SELECT coalesce(max(id) + 1, 0) FROM samples") ?? 0
    classes = try NameTable(db, "classes")
    splits = try NameTable(db, "splits")
    attributes = try NameTable(db, "attributes")
    insert = try db.makeStatement(sql: "INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)")
    verify = try db.makeStatement(
      sql: """
        INSERT INTO verifications (sample, class, answer, person, how, at, sum)
        VALUES (?, ?, ?, 'import', 'import', ?, ?)
        """)
  }

  func add(_ sample: Sample) throws {
    let id = first + count
    let label = classes.number(sample.label)
    let split = splits.number(sample.split)
    let download = downloads.stored(sample.location)
    if download != nil { hasDownloads = true } else { containers.look(sample.location) }
    let location = download ?? sample.location.encoded
    try follow(sample, location: location)
    bind(sample, id: id, label: label, split: split, location: location)
    try step()
    keys.add(sample.key, offset: count)
    let hasPath = !sample.path.hasSameBytes(as: sample.key)
    sums =
      sums
      + SampleSums.of(
        id: id, key: sample.key, path: hasPath ? sample.path : nil, location: location,
        label: (Self.word(label, sample.label, &classWords), Self.word(split, sample.split, &splitWords)))
    counts[Cell(split: split, label: label), default: 0] += 1
    if let isRight = sample.verification {
      try verify(id: id, label: label, isRight: isRight)
    }
    count += 1
  }

  /// The samples of each split and class, in the order of their numbers.
  var tally: DatasetTally {
    var tally = DatasetTally()
    for (cell, samples) in counts.sorted(by: { ($0.key.label, $0.key.split) < ($1.key.label, $1.key.split) })
    {
      tally.add(label: classes.names[cell.label], split: splits.names[cell.split], samples: samples)
    }
    return tally
  }

  /// Adds what the source says about a label.
  func verify(id: Int, label: Int, isRight: Bool) throws {
    let record = VerificationRecord(
      sample: id, label: label, answer: VerificationAnswer(isRight: isRight), person: "import",
      origin: .imported)
    try verify.execute(arguments: [id, label, isRight ? 1 : 0, now, record.sum(at: now)])
  }

  func number(class name: String) -> Int { classes.number(name) }
  func number(split name: String) -> Int { splits.number(name) }

  /// Attributes as a row holds them.
  func encoded(_ values: [SampleAttribute]) -> [UInt8] {
    var bytes: [UInt8] = []
    for attribute in values {
      AttributeCoding.append(attributes.number(attribute.name), attribute.value, to: &bytes)
    }
    return bytes
  }

  /// Writes what is known once all samples are in.
  func finish() throws {
    for (cell, samples) in counts {
      try db.execute(
        sql: """
          INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (split, class)
          DO UPDATE SET samples = samples + excluded.samples
          """, arguments: [cell.split, cell.label, samples])
    }
    for table in [classes, splits, attributes] { try table.save(db) }
    try containers.save(db)
    try (SampleSums(stored: db) + sums).store(db)
  }

  /// The hash of a name, by its number.
  private static func word(_ number: Int, _ name: String, _ words: inout [UInt64]) -> UInt64 {
    if number < words.count, words[number] != 0 { return words[number] }
    if number >= words.count { words += [UInt64](repeating: 0, count: number + 1 - words.count) }
    words[number] = SampleSums.word(name)
    return words[number]
  }

  /// Notes where a new file of the source begins.
  private func follow(_ sample: Sample, location: String) throws {
    let file = sample.line > 0 ? sample.source : nil
    if let segment, segment.file == file { return }
    let base = Self.base(location, path: sample.path)
    segment = (file, base)
    try db.execute(sql: "INSERT INTO segments VALUES (?, ?, ?)", arguments: [first + count, file, base])
  }

  /// The folder that a location's path starts from: what stands before `/path`.
  private static func base(_ location: String, path: String) -> String? {
    let before = location.utf8.count - path.utf8.count - 1
    guard before >= 0, location.utf8.first == UInt8(ascii: "/") else { return nil }
    guard let base = String(location.utf8.prefix(before)), location.isJoined(base, path) else { return nil }
    return base
  }

  private func bind(_ sample: Sample, id: Int, label: Int, split: Int, location: String) {
    let statement = insert.sqliteStatement
    texts.removeAll(keepingCapacity: true)
    texts.append(contentsOf: sample.key.utf8)
    let keyEnd = texts.count
    let hasPath = !sample.path.hasSameBytes(as: sample.key)
    if hasPath { texts.append(contentsOf: sample.path.utf8) }
    let pathEnd = texts.count
    let hasLocation = segment?.base.map { !location.isJoined($0, sample.path) } ?? true
    if hasLocation { texts.append(contentsOf: location.utf8) }
    let locationEnd = texts.count
    for attribute in sample.attributes {
      AttributeCoding.append(attributes.number(attribute.name), attribute.value, to: &texts)
    }
    let end = texts.count
    // An empty array has no address, and a NULL address would bind NULL.
    texts.append(0)
    sqlite3_bind_int64(statement, 1, Int64(id))
    sqlite3_bind_int64(statement, 2, Int64(label))
    sqlite3_bind_int64(statement, 3, Int64(split))
    if sample.line > 0 {
      sqlite3_bind_int64(statement, 4, Int64(sample.line))
    } else {
      sqlite3_bind_null(statement, 4)
    }
    texts.withUnsafeBytes { bytes in
      func bindText(_ column: CInt, _ range: Range<Int>, if isThere: Bool) {
        guard isThere, let base = bytes.baseAddress else {
          sqlite3_bind_null(statement, column)
          return
        }
        let start = (base + range.lowerBound).assumingMemoryBound(to: CChar.self)
        sqlite3_bind_text(statement, column, start, CInt(range.count), Self.transient)
      }
      bindText(5, 0..<keyEnd, if: true)
      bindText(6, keyEnd..<pathEnd, if: hasPath)
      bindText(7, pathEnd..<locationEnd, if: hasLocation)
      if end > locationEnd, let base = bytes.baseAddress {
        sqlite3_bind_blob(statement, 8, base + locationEnd, CInt(end - locationEnd), Self.transient)
      } else {
        sqlite3_bind_null(statement, 8)
      }
    }
  }

  /// Tells SQLite to copy what is bound.
  private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  private func step() throws {
    let statement = insert.sqliteStatement
    let code = sqlite3_step(statement)
    sqlite3_reset(statement)
    guard code == SQLITE_DONE else {
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
    }
  }
}

/// The numbers of names, in order of first appearance. Names that differ only in how Unicode writes them are
/// one.
struct NameTable {
  let table: String
  private(set) var names: [String]
  private var numbers: [String: Int]
  private let saved: Int
  private var last: (name: String, number: Int)?

  init(_ db: Database, _ table: String) throws {
    self.table = table
    names = try String.fetchAll(db, sql: "SELECT name FROM \(table) ORDER BY id")
    numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    saved = names.count
  }

  /// The name's number; a new name gets the next one.
  mutating func number(_ name: String) -> Int {
    if let last, last.name == name { return last.number }
    let number: Int
    if let known = numbers[name] {
      number = known
    } else {
      number = names.count
      names.append(name)
      numbers[name] = number
    }
    last = (name, number)
    return number
  }

  /// Adds the new names to the catalogue.
  func save(_ db: Database) throws {
    for number in saved..<names.count {
      try db.execute(sql: "INSERT INTO \(table) VALUES (?, ?)", arguments: [number, names[number]])
    }
  }
}
