import Datasets
import Foundation
import GRDB

/// How far an update may go.
package enum UpdateScope: Sendable {
  /// New images and new values in further columns; if anything else changed, nothing is done.
  case additions
  /// All that the source says.
  case all
}

extension Workspace {
  /// Brings the samples of an imported source up to date with what the source holds now.
  ///
  /// Samples that are no longer there keep their numbers and verdicts, and take part in nothing.
  ///
  /// - Parameters:
  ///   - earlier: The source as it was imported.
  ///   - dataset: Opened from it with `options`.
  /// - Throws: `DatasetProblems` if rows are bad or keys occur twice; `WorkspaceError` if more changed than `scope`
  ///   allows, or nothing of the source is left.
  package func updateSamples(
    of earlier: ImportedSource, from dataset: Dataset, options: DatasetOptions, scope: UpdateScope,
    progress: (Int) throws -> Void = { _ in }
  ) throws -> UpdateSummary {
    try withWriteLock("import") {
      try importTransaction { db in
        guard
          let root = try Int.fetchOne(
            db, sql: "SELECT id FROM sources WHERE first = ? AND parent IS NULL", arguments: [earlier.first])
        else { throw Self.unknownSource(earlier.path) }
        let update = try SampleUpdate(db, self, root: root)
        var count = 0
        let read = try dataset.read { sample in
          try update.add(sample)
          count += 1
          if count % 4096 == 0 { try progress(count) }
        }
        let added = try update.finish()
        var summary = update.summary
        try Self.refuse(summary, scope: scope, path: earlier.path)
        summary.notices = read.notices
        if !added.isEmpty {
          guard try featureSet(key: FeatureSet.imported) == nil else {
            throw WorkspaceError(
              .invalidInput, file: earlier.path,
              "has \(added.count) new images, but the workspace's features were imported",
              remedy: "Import the new ones as a source of their own with --features")
          }
          let source = try DatasetSource(path: earlier.path)
          summary.notices += try index(update.newKeys, source: source, db)
          try db.execute(
            sql: """
              INSERT INTO sources (path, format, options, at, first, samples, imageHash, labelHash, parent)
              VALUES (?, ?, ?, ?, ?, ?, '', '', ?)
              """,
            arguments: [
              earlier.path, dataset.formatName, options.stored, Date.now.timeIntervalSince1970,
              added.lowerBound, added.count, root,
            ])
        }
        try db.execute(
          sql: "UPDATE sources SET options = ?, format = ? WHERE id = ?",
          arguments: [options.stored, dataset.formatName, root])
        try progress(count)
        return summary
      }
    }
  }

  private static func refuse(_ summary: UpdateSummary, scope: UpdateScope, path: String) throws {
    if summary.removed > 0, summary.unchanged + summary.relabelled + summary.moved + summary.described == 0 {
      throw WorkspaceError(
        .invalidInput, file: path, "holds none of the \(summary.removed) images that were imported from it",
        remedy:
          "If it was moved, say where to: cleannet relocate OLD NEW. If a drive is not mounted, mount it. "
          + "Import another data set into its own workspace: --workspace DIR")
    }
    guard scope == .additions, summary.changesWhatIsThere else { return }
    let changes = [
      (summary.removed, "removed"), (summary.relabelled, "relabelled"), (summary.moved, "moved"),
      (summary.added, "added"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    throw WorkspaceError(
      .alreadyImported, file: path,
      "is already imported, and has changed since: \(changes.joined(separator: ", "))",
      remedy: "Import the changes: cleannet import --update \(path)")
  }

  static func unknownSource(_ path: String) -> WorkspaceError {
    WorkspaceError(
      .notFound, file: path, "was not imported into this workspace",
      remedy: "See the earlier sources: cleannet status. Import it: cleannet import \(path)")
  }

  /// The source that a data set was imported as, by its path, whatever the options.
  package func source(at source: DatasetSource) throws -> ImportedSource? {
    try sources().last { source.isSame(as: $0.path) }
  }

  /// A source of which nothing is left where it was, and whose images are those of a data set elsewhere: it was moved.
  ///
  /// - Parameter dataset: Opened from the new place.
  package func movedSource(like dataset: Dataset, options: DatasetOptions) throws -> ImportedSource? {
    var plain = options
    plain.root = nil
    let candidates = try sources().filter { source in
      var other = source.datasetOptions
      other.root = nil
      return source.format == dataset.formatName && other.stored == plain.stored
        && access(source.path, F_OK) != 0
    }
    guard !candidates.isEmpty else { return nil }
    var counts = [Int](repeating: 0, count: candidates.count)
    try read { db in
      let statement = try SampleRows.idStatement(db)
      try dataset.read { sample in
        guard let id = try SampleRows.id(key: sample.key, statement) else { return }
        for (index, source) in candidates.enumerated() where source.samples.contains(id) {
          counts[index] += 1
        }
      }
    }
    // Half of it is enough: a data set may have changed on its way.
    return zip(candidates, counts).filter { $0.0.samples.count < 2 * $0.1 }.max { $0.1 < $1.1 }?.0
  }
}

extension Workspace {
  /// Says that what lay in one folder lies in another now. Samples stay what they are, with their features.
  ///
  /// - Returns: How many images it concerns.
  /// - Throws: `WorkspaceError` if nothing lies there by the catalogue, or none of it is found at the new place.
  package func relocate(_ old: String, to new: String) throws -> Int {
    let move = Relocation(old: old, new: new)
    let names = try sources().map(\.path).joined(separator: ", ")
    return try withWriteLock("relocate") {
      try importTransaction { db in
        let function = DatabaseFunction("relocated", argumentCount: 1, pure: true) { values in
          String.fromDatabaseValue(values[0]).flatMap(move.location)
        }
        db.add(function: function)
        defer { db.remove(function: function) }
        let concerned = try Self.locations(db, downloads).filter { move.location($0) != nil }
        guard !concerned.isEmpty else {
          throw WorkspaceError(
            .notFound, file: move.old, "contains no image of the workspace",
            remedy: "Give the former path of the folder or file that was moved. Sources are: \(names)")
        }
        let samples = concerned.lazy.compactMap(move.location).compactMap(Relocation.path).prefix(1000)
        guard samples.contains(where: { access($0, R_OK) == 0 }) else {
          throw WorkspaceError(
            .notFound, file: move.new, "holds none of the images: \(samples.first ?? "") cannot be read",
            remedy: "Check the new place: it must hold the images as \(move.old) did")
        }
        for sql in [
          "UPDATE samples SET location = relocated(location) WHERE relocated(location) IS NOT NULL",
          "UPDATE segments SET base = relocated(base) WHERE relocated(base) IS NOT NULL",
          "UPDATE segments SET file = relocated(file) WHERE relocated(file) IS NOT NULL",
          "UPDATE sources SET path = relocated(path) WHERE relocated(path) IS NOT NULL",
        ] {
          try db.execute(sql: sql)
        }
        try ContainerNotes.relocate(db) { move.location($0) }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM sources") {
          var options = Self.imported(row).datasetOptions
          options.root = options.root.map { move.location($0) ?? $0 }
          options.pathPrefixes = options.pathPrefixes.map { ($0.0, move.location($0.1) ?? $0.1) }
          try db.execute(
            sql: "UPDATE sources SET options = ? WHERE id = ?", arguments: [options.stored, row["id"] as Int])
        }
        try SampleSums.scan(db).store(db)
        return concerned.count
      }
    }
  }

  /// Where all images lie, as the catalogue holds it.
  private static func locations(_ db: Database, _ downloads: DownloadPlaces) throws -> [String] {
    let segments = try Segments(db, downloads)
    return try Row.fetchAll(db, sql: "SELECT id, location, path, key FROM samples WHERE gone IS NULL").map {
      row in
      row[1] ?? "\(segments[row[0]].base ?? "")/\(row[2] as String? ?? row[3])"
    }
  }
}

/// A folder's, or a file's, old and new name.
private struct Relocation: Sendable {
  let old: String
  let new: String

  init(old: String, new: String) {
    self.old = DatasetSource.absolutePath(of: old)
    self.new = DatasetSource.absolutePath(of: new)
  }

  /// A path, or a location of an archive's member, with the new name; `nil` where it does not begin with the old.
  func location(_ text: String) -> String? {
    if text.utf8.first == UInt8(ascii: "/") { return path(text) }
    switch ImageLocation(encoded: text) {
    case .archiveMember(let archive, let offset, let length):
      return path(archive).map {
        ImageLocation.archiveMember(archive: $0, offset: offset, length: length).encoded
      }
    case .deflatedMember(let archive, let offset, let length, let size):
      return path(archive).map {
        ImageLocation.deflatedMember(archive: $0, offset: offset, length: length, size: size).encoded
      }
    case .idx(let file, let index):
      return path(file).map { ImageLocation.idx(file: $0, index: index).encoded }
    case .planes(let file, let offset, let width, let height):
      return path(file).map {
        ImageLocation.planes(file: $0, offset: offset, width: width, height: height).encoded
      }
    case .file, .some(.none), nil: return nil
    }
  }

  private func path(_ path: String) -> String? {
    guard path.hasBytePrefix(old) else { return nil }
    let rest = path.utf8.dropFirst(old.utf8.count)
    guard rest.isEmpty || rest.first == UInt8(ascii: "/") else { return nil }
    return new + String(decoding: rest, as: UTF8.self)
  }

  /// The file that a location lies in.
  static func path(_ location: String) -> String? {
    switch ImageLocation(encoded: location) {
    case .file(let path): path
    case .archiveMember(let archive, _, _), .deflatedMember(let archive, _, _, _): archive
    case .idx(let file, _), .planes(let file, _, _, _): file
    case .some(.none), nil: nil
    }
  }
}
