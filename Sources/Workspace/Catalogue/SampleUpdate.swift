import Datasets
import Files
import Foundation
import GRDB

/// The changes in a source since it was imported.
package struct UpdateSummary: Sendable, Hashable, Codable {
  /// As it was imported.
  package var source: String
  /// Images that are new.
  package var added = 0
  /// Images that are no longer there; what was said about them is kept.
  package var removed = 0
  /// Images that had been removed and are there again.
  package var returned = 0
  /// Images that have another class or split.
  package var relabelled = 0
  /// Images that lie elsewhere, or have another name, and are the same.
  package var moved = 0
  /// Images with other values in further columns.
  package var described = 0
  /// Images of which nothing changed but what they may look like, which `embed` finds out.
  package var unchanged = 0
  package var notices: [String] = []

  package init(source: String) { self.source = source }

  /// Whether something that is in the workspace was taken away or said otherwise.
  package var changesWhatIsThere: Bool { removed + relabelled + moved > 0 }
  package var isEmpty: Bool { added + removed + returned + relabelled + moved + described == 0 }
}

/// Brings the samples of one source up to date, within a transaction that the caller holds.
///
/// Samples are known by their keys. One whose key is gone and whose bytes are found again under another is the same
/// sample: it keeps its number, its features, and its verdicts.
final class SampleUpdate {
  /// So many new samples are held until it is known which are gone; others count as new without being compared.
  private static let held = 200_000

  private let db: Database
  private let workspace: Workspace
  private let root: Int
  private let ranges: [Range<Int>]
  private let downloads: DownloadPlaces
  private let segments: Segments
  private let inserter: SampleInserter
  private let names: (classes: [String], splits: [String])
  private var seen: Set<Int> = []
  private var added: [Sample] = []
  private var sums = SampleSums()
  private var containers = ContainerNotes()
  private var counts: [[Int]: Int] = [:]
  private(set) var summary: UpdateSummary
  private var problems = DatasetProblems()
  private let find: Statement
  private let change: Statement
  private let lookAgain: Statement

  /// - Parameter root: The number of the source.
  init(_ db: Database, _ workspace: Workspace, root: Int) throws {
    self.db = db
    self.workspace = workspace
    self.root = root
    downloads = workspace.downloads
    segments = try Segments(db, downloads)
    inserter = try SampleInserter(db, downloads: downloads)
    names = (inserter.classes.names, inserter.splits.names)
    let rows = try Row.fetchAll(
      db, sql: "SELECT first, samples, path FROM sources WHERE id = ?1 OR parent = ?1 ORDER BY id",
      arguments: [root])
    ranges = rows.map { ($0[0] as Int)..<(($0[0] as Int) + ($0[1] as Int)) }
    summary = UpdateSummary(source: rows.first?[2] ?? "")
    find = try db.makeStatement(
      sql: "SELECT samples.* FROM sampleKeys JOIN samples ON id = sample WHERE hash = ? AND key = ?")
    change = try db.makeStatement(
      sql: """
        UPDATE samples SET class = ?, split = ?, line = ?, key = ?, path = ?, location = ?, attributes = ?,
          gone = NULL WHERE id = ?
        """)
    lookAgain = try db.makeStatement(sql: "UPDATE featureRows SET modified = ? WHERE sample = ?")
  }

  /// Takes one sample of the source as it is now.
  func add(_ sample: Sample) throws {
    if downloads.stored(sample.location) == nil { containers.look(sample.location) }
    let rows = try Row.fetchAll(find, arguments: [Int64(KeyHashes.hash(sample.key)), sample.key])
    let own = rows.first { row in ranges.contains { $0.contains(row[0] as Int) } }
    if let other = rows.first(where: { $0["gone"] as Double? == nil && ($0[0] as Int) != own?[0] }) {
      return fail(
        sample, "the key \"\(sample.key)\" is also that of sample \(other[0] as Int), of another source")
    }
    guard let own else {
      if added.count < Self.held { added.append(sample) } else { try insert(sample) }
      return
    }
    guard seen.insert(own[0]).inserted else {
      return fail(sample, "the key \"\(sample.key)\" occurs twice")
    }
    try apply(sample, to: own)
  }

  private func fail(_ sample: Sample, _ what: String) {
    problems.add(
      DatasetProblem(
        file: sample.source.isEmpty ? summary.source : sample.source,
        line: sample.line > 0 ? sample.line : nil, what: what,
        remedy: "Leave one of the two out, or name a column of unique keys with --key-column"))
  }

  private func insert(_ sample: Sample) throws {
    try inserter.add(sample)
    summary.added += 1
  }

  /// Makes a sample's row what the source says now.
  private func apply(_ sample: Sample, to row: Row, isMoved: Bool = false) throws {
    let id: Int = row[0]
    let old = try Old(row, segments, downloads)
    let label = inserter.number(class: sample.label)
    let split = inserter.number(split: sample.split)
    let location = downloads.stored(sample.location) ?? sample.location.encoded
    let path = sample.path.hasSameBytes(as: sample.key) ? nil : sample.path
    let attributes = inserter.encoded(sample.attributes)
    let isElsewhere = old.location != location
    // An archive that was written anew has its images at other places, which is no news for anybody.
    let hasMoved =
      isMoved || old.path != path
      || isElsewhere && (sample.location.container == nil || old.container != sample.location.container)
    let isRelabelled = old.label != label || old.split != split
    let isDescribed = old.attributes != attributes
    if old.isGone { summary.returned += 1 }
    if isRelabelled { summary.relabelled += 1 }
    if hasMoved { summary.moved += 1 }
    if isDescribed, !isRelabelled, !hasMoved { summary.described += 1 }
    try verify(sample, id: id, label: label)
    if !old.isGone, !hasMoved, !isRelabelled, !isDescribed { summary.unchanged += 1 }
    if isElsewhere || isMoved { try lookAgain.execute(arguments: [FeatureRow.unseen, id]) }
    guard isElsewhere || hasMoved || isRelabelled || isDescribed || old.isGone || old.line != sample.line
    else { return }
    try change.execute(arguments: [
      label, split, sample.line > 0 ? sample.line : nil, sample.key, path, location,
      attributes.isEmpty ? nil : Data(attributes), id,
    ])
    if !old.isGone { counts[[old.split, old.label], default: 0] -= 1 }
    counts[[split, label], default: 0] += 1
    sums = sums - old.sums(id, classes: names.classes, splits: names.splits)
    sums =
      sums
      + SampleSums.of(
        id: id, key: sample.key, path: path, location: location,
        label: (SampleSums.word(sample.label), SampleSums.word(sample.split)))
  }

  /// Imports what the source says about a label, unless it said so before.
  private func verify(_ sample: Sample, id: Int, label: Int) throws {
    guard let isRight = sample.verification else { return }
    let last = try Int.fetchOne(
      db,
      sql: """
        SELECT answer FROM verifications WHERE sample = ? AND class = ? AND how = 'import' ORDER BY id DESC LIMIT 1
        """, arguments: [id, label])
    if last != (isRight ? 1 : 0) { try inserter.verify(id: id, label: label, isRight: isRight) }
  }

  /// A row before it is changed.
  private struct Old {
    var label: Int
    var split: Int
    var line: Int
    var key: String
    var path: String?
    var location: String
    /// The archive that it lies in.
    var container: String?
    var attributes: [UInt8]
    var isGone: Bool

    init(_ row: Row, _ segments: Segments, _ downloads: DownloadPlaces) throws {
      let id: Int = row[0]
      label = row[1]
      split = row[2]
      line = row[3] as Int? ?? 0
      key = row[4]
      path = row[5]
      location = row[6] ?? "\(segments[id].base ?? "")/\(path ?? key)"
      container = segments[id].location(row[6], path: path ?? key).container
      attributes = (row[7] as Data?).map(Array.init) ?? []
      isGone = row["gone"] as Double? != nil
    }

    func sums(_ id: Int, classes: [String], splits: [String]) -> SampleSums {
      let isKnown = !isGone && classes.indices.contains(label) && splits.indices.contains(split)
      return SampleSums.of(
        id: id, key: key, path: path, location: location,
        label: isKnown ? (SampleSums.word(classes[label]), SampleSums.word(splits[split])) : nil)
    }
  }

  // MARK: The end

  /// Finds what has gone and what has moved, and writes all of it.
  ///
  /// - Returns: The numbers of the samples that are new.
  func finish() throws -> Range<Int> {
    guard problems.isEmpty else { throw problems }
    var gone = try present().filter { !seen.contains($0) }
    if !gone.isEmpty, !added.isEmpty { try match(&gone) }
    for sample in added { try insert(sample) }
    let select = try db.makeStatement(sql: "SELECT * FROM samples WHERE id = ?")
    let now = Date.now.timeIntervalSince1970
    for id in gone {
      guard let row = try Row.fetchOne(select, arguments: [id]) else { continue }
      let old = try Old(row, segments, downloads)
      counts[[old.split, old.label], default: 0] -= 1
      var sums = old.sums(id, classes: names.classes, splits: names.splits)
      sums.images = 0
      sums.places = 0
      self.sums = self.sums - sums
      try db.execute(sql: "UPDATE samples SET gone = ? WHERE id = ?", arguments: [now, id])
    }
    summary.removed = gone.count
    try inserter.finish()
    try containers.save(db)
    for (cell, change) in counts where change != 0 {
      try db.execute(
        sql: """
          INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (split, class)
          DO UPDATE SET samples = samples + excluded.samples
          """, arguments: [cell[0], cell[1], change])
    }
    try (SampleSums(stored: db) + sums).store(db)
    if inserter.hasDownloads { try makeFolder(downloads.folder) }
    return inserter.first..<(inserter.first + inserter.count)
  }

  var newKeys: SampleInserter { inserter }

  /// The samples that were there before.
  private func present() throws -> [Int] {
    try ranges.flatMap { range in
      try Int.fetchAll(
        db, sql: "SELECT id FROM samples WHERE id >= ? AND id < ? AND gone IS NULL ORDER BY id",
        arguments: [range.lowerBound, range.upperBound])
    }
  }

  /// Finds samples that are gone among the new ones, by the content of their files.
  private func match(_ gone: inout [Int]) throws {
    let known = try db.makeStatement(
      sql: """
        SELECT size, digest FROM featureSets JOIN featureRows ON features = id
        WHERE sample = ? AND digest IS NOT NULL ORDER BY id DESC LIMIT 1
        """)
    var places: [UInt64: [Int]] = [:]
    var sizes: Set<Int64> = []
    var isArchived = false
    let select = try db.makeStatement(sql: "SELECT * FROM samples WHERE id = ?")
    for id in gone {
      guard let row = try Row.fetchOne(known, arguments: [id]),
        let sample = try Row.fetchOne(select, arguments: [id])
      else { continue }
      places[UInt64(bitPattern: row[1]), default: []].append(id)
      // Of an image in an archive it is the archive's size.
      if try Old(sample, segments, downloads).container == nil {
        sizes.insert(row[0])
      } else {
        isArchived = true
      }
    }
    guard !places.isEmpty else { return }
    /// A digest of the sample's image, if it may be one of the samples that are gone.
    func digest(_ sample: Sample) -> UInt64? {
      if case .file(let path) = sample.location {
        var info = stat()
        guard stat(path, &info) == 0, sizes.contains(Int64(info.st_size)) else { return nil }
      } else if !isArchived {
        return nil
      }
      return (try? sample.location.contentDigest()) ?? nil
    }
    var rest: [Sample] = []
    var found: Set<Int> = []
    for sample in added {
      guard let digest = digest(sample), let id = places[digest]?.popLast(),
        let row = try Row.fetchOne(select, arguments: [id])
      else {
        rest.append(sample)
        continue
      }
      found.insert(id)
      try db.execute(
        sql: "UPDATE sampleKeys SET hash = ?1 WHERE hash = ?2 AND sample = ?3",
        arguments: [Int64(KeyHashes.hash(sample.key)), Int64(KeyHashes.hash(row[4])), id])
      try apply(sample, to: row, isMoved: true)
    }
    added = rest
    gone.removeAll { found.contains($0) }
  }
}
