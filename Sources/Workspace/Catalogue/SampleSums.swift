import GRDB

/// A digest of the samples, as sums of one term per sample: whatever their order, and kept up to date by taking a
/// term away and adding another. Equal samples give equal sums, however they came about; a row that a disk has changed
/// gives others.
struct SampleSums: Hashable {
  /// Of numbers, keys and paths.
  var images: UInt64 = 0
  /// Of numbers and where images lie.
  var places: UInt64 = 0
  /// Of numbers, classes and splits, by name; samples that are gone have none.
  var labels: UInt64 = 0

  static let names = ["images", "places", "labels"]

  static func + (left: SampleSums, right: SampleSums) -> SampleSums {
    SampleSums(
      images: left.images &+ right.images, places: left.places &+ right.places,
      labels: left.labels &+ right.labels)
  }

  static func - (left: SampleSums, right: SampleSums) -> SampleSums {
    SampleSums(
      images: left.images &- right.images, places: left.places &- right.places,
      labels: left.labels &- right.labels)
  }

  /// One sample's terms.
  ///
  /// - Parameters:
  ///   - location: As the catalogue holds it, with the folder that it starts from.
  ///   - label: A hash of the class's name; nil where the sample is gone.
  static func of(
    id: Int, key: String, path: String?, location: String, label: (class: UInt64, split: UInt64)?
  ) -> SampleSums {
    var sums = SampleSums()
    var image = StableHash()
    image.combine(id)
    image.combine(key)
    if let path { image.combine(path) }
    sums.images = image.word
    var place = StableHash()
    place.combine(id)
    place.combine(location)
    sums.places = place.word
    if let label { sums.labels = Self.label(id: id, label.class, label.split) }
    return sums
  }

  static func label(id: Int, _ name: UInt64, _ split: UInt64) -> UInt64 {
    var hash = StableHash()
    hash.combine(id)
    hash.combine(name)
    hash.combine(split)
    return hash.word
  }

  static func word(_ name: String) -> UInt64 {
    var hash = StableHash()
    hash.combine(name)
    return hash.word
  }

  // MARK: In the catalogue

  init() {}

  init(images: UInt64, places: UInt64, labels: UInt64) {
    self.images = images
    self.places = places
    self.labels = labels
  }

  /// The sums that the catalogue has noted.
  init(stored db: Database) throws {
    func value(_ name: String) throws -> UInt64 {
      UInt64(
        bitPattern: try Int64.fetchOne(db, sql: "SELECT value FROM sums WHERE name = ?", arguments: [name])
          ?? 0)
    }
    self.init(images: try value("images"), places: try value("places"), labels: try value("labels"))
  }

  func store(_ db: Database) throws {
    for (name, value) in [("images", images), ("places", places), ("labels", labels)] {
      try db.execute(
        sql: "INSERT OR REPLACE INTO sums VALUES (?, ?)", arguments: [name, Int64(bitPattern: value)])
    }
  }

  /// The sums of the samples as they are: reads all of them.
  static func scan(_ db: Database) throws -> SampleSums {
    let names = try NameWords(db)
    let bases = try Row.fetchAll(db, sql: "SELECT first, base FROM segments ORDER BY first").map {
      (first: $0[0] as Int, base: $0[1] as String?)
    }
    var segment = -1
    var sums = SampleSums()
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, class, split, key, path, location, gone FROM samples ORDER BY id")
    while let row = try rows.next() {
      let id: Int = row[0]
      while segment + 1 < bases.count, bases[segment + 1].first <= id { segment += 1 }
      let key: String = row[3]
      let path: String? = row[4]
      let location: String =
        row[5] ?? "\(segment >= 0 ? bases[segment].base ?? "" : "")/\(path ?? key)"
      let isGone = row[6] as Int? != nil
      sums =
        sums
        + of(
          id: id, key: key, path: path, location: location,
          label: isGone ? nil : (try names.class(row[1]), try names.split(row[2])))
    }
    return sums
  }
}

/// Hashes of the names of classes and splits, by their numbers.
struct NameWords {
  private let classes: [UInt64]
  private let splits: [UInt64]

  init(_ db: Database) throws {
    func words(_ table: String) throws -> [UInt64] {
      try String.fetchAll(db, sql: "SELECT name FROM \(table) ORDER BY id").map(SampleSums.word)
    }
    classes = try words("classes")
    splits = try words("splits")
  }

  func `class`(_ number: Int) throws -> UInt64 { try Self.element(classes, number, "class") }
  func split(_ number: Int) throws -> UInt64 { try Self.element(splits, number, "split") }

  private static func element(_ words: [UInt64], _ number: Int, _ what: String) throws -> UInt64 {
    guard words.indices.contains(number) else {
      throw DatabaseError(
        resultCode: .SQLITE_CORRUPT, message: "a sample has the \(what) \(number), which is not there")
    }
    return words[number]
  }
}
