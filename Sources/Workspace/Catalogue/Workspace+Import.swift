import Datasets
import Files
import Foundation
import GRDB

/// A source whose samples are in the workspace.
public struct ImportedSource: Sendable, Hashable {
  /// Absolute.
  public var path: String
  public var format: String
  /// The options it was imported with: an object of strings, as JSON; empty where there were none.
  public var options: String
  public var date: Date
  /// The numbers of its samples as it was imported first; updates may have added others.
  public var samples: Range<Int>

  var first: Int { samples.lowerBound }
}

/// The result of an import.
package struct ImportSummary: Sendable, Hashable {
  package var source: ImportedSource
  /// Things that were passed over without harm; see `DatasetSummary`.
  package var notices: [String]
  /// The guesses about the source; see `DatasetSummary`.
  package var guesses: [String] = []
  /// The samples of each split and class that came with it.
  package var tally = DatasetTally()
}

extension Workspace {
  /// Adds all samples of a data set, or none.
  ///
  /// Samples are numbered on in the source's order. Labels, splits and attribute names get numbers in order of first
  /// appearance; names that are there keep theirs. Memory grows by eight bytes per sample.
  ///
  /// - Parameters:
  ///   - dataset: Opened from `source` with `options`.
  ///   - features: Feature vectors that come instead of images: row i belongs to the source's sample i. They
  ///     go to the feature set `FeatureSet.imported`.
  ///   - progress: Called with the number of samples read so far; what it throws undoes the import.
  /// - Throws: `DatasetProblems` if rows are bad or keys occur twice, within the source or with what is
  ///   there; `WorkspaceError` if the source is there already, the features do not fit, or another process
  ///   writes.
  @discardableResult
  package func importSamples(
    from dataset: Dataset, source: DatasetSource, options: DatasetOptions = DatasetOptions(),
    features: NpyMatrix? = nil, progress: (Int) throws -> Void = { _ in }
  ) throws -> ImportSummary {
    try withWriteLock("import") {
      let optionsText = options.stored
      if let earlier = try self.source(source, options: options) {
        throw Self.alreadyImported(source.path, earlier)
      }
      // Features of samples that never came: a first import with features did not reach its end.
      if try sampleCount() == 0, let left = try featureSet(key: FeatureSet.imported) {
        try FileManager.default.removeItem(atPath: left.folder)
      }
      if features == nil, let set = try featureSet(key: FeatureSet.imported) {
        throw WorkspaceError(
          .invalidInput, file: source.path,
          "has no features, but the workspace's samples were imported with features (\(set.dimension) numbers each)",
          remedy: "Give its features too (--features FILE), or import it into a workspace of its own")
      }
      for set in try featureSets() { try set.trim(to: sampleCount()) }
      let summary = try importTransaction { db in
        let inserter = try SampleInserter(db, downloads: downloads)
        let summary = try dataset.readAhead { sample in
          try inserter.add(sample)
          if inserter.count % 4096 == 0 { try progress(inserter.count) }
        }
        try inserter.finish()
        if inserter.hasDownloads { try makeFolder(downloads.folder) }
        let imported = ImportedSource(
          path: source.absolutePath, format: dataset.formatName, options: optionsText, date: .now,
          samples: inserter.first..<(inserter.first + inserter.count))
        let sameButForCase = try index(inserter, source: source, db)
        try db.execute(
          sql: """
            INSERT INTO sources (path, format, options, at, first, samples, imageHash, labelHash)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
          arguments: [
            imported.path, imported.format, optionsText, imported.date.timeIntervalSince1970, inserter.first,
            inserter.count, "", "",
          ])
        if let features { try importFeatures(features, samples: imported.samples, db) }
        try progress(inserter.count)
        return ImportSummary(
          source: imported,
          notices: summary.notices + sameButForCase + DatasetTally.alike(inserter.classes.names),
          guesses: summary.guesses, tally: inserter.tally)
      }
      return summary
    }
  }

  /// The sources in the order of their import.
  public func sources() throws -> [ImportedSource] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM sources WHERE parent IS NULL ORDER BY id").map(Self.imported)
    }
  }

  /// The import of a source with the same options, if there was one.
  package func source(_ source: DatasetSource, options: DatasetOptions) throws -> ImportedSource? {
    let stored = options.stored
    return try sources().first { $0.options == stored && source.isSame(as: $0.path) }
  }

  static func imported(_ row: Row) -> ImportedSource {
    let first: Int = row["first"]
    return ImportedSource(
      path: row["path"], format: row["format"], options: row["options"],
      date: Date(timeIntervalSince1970: row["at"]),
      samples: first..<(first + row["samples"]))
  }

  /// Runs an import in one transaction, with room for the tables' upper pages in memory.
  func importTransaction<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try Self.translating(catalogue) {
      try pool.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA cache_size = -8192")
        defer { try? db.execute(sql: "PRAGMA cache_size = -2000; PRAGMA shrink_memory") }
        var summary: Value?
        try db.inTransaction(.immediate) {
          summary = try body(db)
          return .commit
        }
        // The log holds all of it a second time.
        _ = try? db.checkpoint(.truncate)
        guard let summary else { preconditionFailure("the transaction has committed") }
        return summary
      }
    }
  }

  /// Finds keys that occur twice, and makes the others findable.
  ///
  /// - Returns: A remark on keys that differ only in case, if there are any.
  func index(_ inserter: SampleInserter, source: DatasetSource, _ db: Database) throws -> [String] {
    var keys = inserter.keys
    keys.sort()
    var pairs: [(sample: Int, earlier: Int)] = []
    var sameButForCase = CaseNotice()
    try keys.duplicates(db, first: inserter.first) { sample, earlier, likeness in
      switch likeness {
      case .equal: pairs.append((sample, earlier))
      case .equalButForCase: sameButForCase.add(sample, earlier)
      }
    }
    if pairs.isEmpty {
      try keys.save(db, first: inserter.first)
      return try sameButForCase.notices(db)
    }
    // In the order of the source, as problems are read.
    pairs.sort { $0.sample < $1.sample }
    let places = try SamplePlaces(
      db, downloads: downloads, reading: source.path, from: inserter.first)
    if pairs.count == inserter.count,
      let earlier = try Self.soleSource(of: pairs.map(\.earlier), db), try areSameImages(pairs, db)
    {
      throw Self.alreadyImported(source.path, earlier)
    }
    var problems = DatasetProblems()
    for pair in pairs {
      // Beyond the ones that are shown, only the number counts.
      let isShown = problems.count < DatasetProblems.kept
      let place = try isShown ? places.place(pair.sample, db) : (file: source.path, line: nil)
      let other = try isShown ? places.text(pair.earlier, db) : ""
      let key =
        try isShown ? String.fetchOne(db, sql: "SELECT key FROM samples WHERE id = \(pair.sample)") ?? "" : ""
      problems.add(
        DatasetProblem(
          file: place.file, line: place.line, what: "the key \"\(key)\" is also that of \(other)",
          remedy: pair.earlier < inserter.first
            ? "Leave out the images that are in the workspace already; if it is another image, distinguish the two with --key-prefix NAME/ "
              + "or a column of unique keys, --key-column"
            : "Remove one of the two, or name a column of unique keys with --key-column"))
    }
    throw problems
  }

  /// Whether samples lie where their namesakes do: others may be called alike.
  private func areSameImages(_ pairs: [(sample: Int, earlier: Int)], _ db: Database) throws -> Bool {
    let reader = try SampleRows(db, downloads)
    func location(_ id: Int) throws -> ImageLocation? {
      try Row.fetchOne(db, sql: "SELECT * FROM samples WHERE id = ?", arguments: [id])
        .map { try reader.sample($0).location }
    }
    return try [pairs.first, pairs.last].compactMap(\.self).allSatisfy {
      try location($0.sample) == location($0.earlier)
    }
  }

  /// The source that holds exactly these samples.
  private static func soleSource(of samples: [Int], _ db: Database) throws -> ImportedSource? {
    guard let first = samples.min(), let last = samples.max() else { return nil }
    return try Row.fetchOne(
      db, sql: "SELECT * FROM sources WHERE first <= ? AND first + samples > ? AND samples = ?",
      arguments: [first, last, samples.count]
    ).map(imported)
  }

  private static func alreadyImported(_ path: String, _ earlier: ImportedSource) -> WorkspaceError {
    let isSame = (try? DatasetSource(path: path))?.isSame(as: earlier.path) ?? false
    let same = isSame ? "" : ", from \(earlier.path)"
    return WorkspaceError(
      .alreadyImported, file: path,
      "is already imported: \(earlier.samples.count) samples, on \(earlier.date.formatted(.iso8601))\(same)",
      remedy:
        "To import the changes: cleannet import --update \(earlier.path); to start afresh, name another "
        + "--workspace")
  }
}

extension DatasetSource {
  /// Whether a path names the same file or folder, however the two are spelled.
  func isSame(as path: String) -> Bool {
    if absolutePath == path { return true }
    var left = stat()
    var right = stat()
    return stat(absolutePath, &left) == 0 && stat(path, &right) == 0 && left.st_ino == right.st_ino
      && left.st_dev == right.st_dev
  }
}

extension DatasetOptions {
  /// A text that tells one import of a source from another.
  var stored: String {
    let named: [(String, String?)] = [
      ("root", root.map(DatasetSource.absolutePath)), ("path", pathColumn), ("label", labelColumn),
      ("key", keyColumn),
      ("verification", verificationColumn), ("splitColumn", splitColumn), ("split", split),
      ("classes", classNames?.joined(separator: "\n")),
      (
        "labels",
        labelMap.isEmpty
          ? nil : labelMap.sorted { $0.key < $1.key }.map { "\($0)\t\($1)" }.joined(separator: "\n")
      ),
      ("truth", truthColumns.isEmpty ? nil : truthColumns.joined(separator: "\n")),
      ("featuresOnly", featuresOnly ? "yes" : nil), ("classLevel", classLevel.map(String.init)),
      ("labelPattern", labelPattern), ("pathTemplate", pathTemplate),
      (
        "pathPrefixes",
        pathPrefixes.isEmpty ? nil : pathPrefixes.map { "\($0)=\($1)" }.joined(separator: "\n")
      ),
      ("keyPrefix", keyPrefix.isEmpty ? nil : keyPrefix),
    ]
    let object = Dictionary(
      uniqueKeysWithValues: named.compactMap { name, value in value.map { (name, $0) } })
    return (try? object.json()) ?? ""
  }
}

extension ImportedSource {
  /// The options that it was imported with.
  package var datasetOptions: DatasetOptions {
    var result = DatasetOptions()
    let values =
      (try? JSONDecoder().decode([String: String].self, from: Data(options.utf8))) ?? [:]
    func lines(_ name: String) -> [String]? {
      values[name].map { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    }
    result.format = format
    result.root = values["root"]
    result.pathColumn = values["path"]
    result.labelColumn = values["label"]
    result.keyColumn = values["key"]
    result.verificationColumn = values["verification"]
    result.splitColumn = values["splitColumn"]
    result.split = values["split"]
    result.classNames = lines("classes")
    for line in lines("labels") ?? [] {
      let pair = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      if pair.count == 2 { result.labelMap[pair[0]] = pair[1] }
    }
    result.truthColumns = lines("truth") ?? []
    result.featuresOnly = values["featuresOnly"] != nil
    result.classLevel = values["classLevel"].flatMap { Int($0) }
    result.labelPattern = values["labelPattern"]
    result.pathTemplate = values["pathTemplate"]
    result.pathPrefixes = (lines("pathPrefixes") ?? []).compactMap { line in
      line.firstIndex(of: "=").map { (String(line[..<$0]), String(line[line.index(after: $0)...])) }
    }
    result.keyPrefix = values["keyPrefix"] ?? ""
    return result
  }
}
