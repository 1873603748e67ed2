import Foundation

/// Parquet files, read by DuckDB: Hugging Face's data sets with the images in them, or tables of paths or addresses.
///
/// The source is a file, a folder of files (also in `data/`, or one folder per split), or a pattern. A file's split
/// follows from its name. Images lie compressed in Parquet, where they cannot be read one by one, so an import takes
/// them out into one file in the workspace, byte for byte.
package struct Parquet: DatasetFormat {
  package static let name = "parquet"
  package static let summary =
    "Parquet files with images in them (as Hugging Face keeps them), or with paths; needs duckdb"

  /// The column under which a row's name is asked for.
  private static let path = "cleannet_path"
  private static let mostFiles = 100_000

  package static let takes: Set<DatasetOption> = DatasetOption.ofTables

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    if source.isFolder { return !files(source, limit: 256).isEmpty }
    return source.head.starts(with: Array("PAR1".utf8))
  }

  /// The files of a source, sorted; of a folder those at its top, or in the folders below it.
  private static func files(_ source: DatasetSource, limit: Int = mostFiles) -> [String] {
    if let files = source.files { return files }
    guard source.isFolder else { return [source.absolutePath] }
    func inside(_ folder: DatasetSource, depth: Int) -> [String] {
      let names = folder.names(limit: limit)
      let here = names.filter { $0.lowercased().hasSuffix(".parquet") }.map { "\(folder.absolutePath)/\($0)" }
      if !here.isEmpty || depth == 0 { return here }
      // A folder with many folders is no folder of Parquet files.
      return names.prefix(64).flatMap { name -> [String] in
        let path = "\(folder.absolutePath)/\(name)"
        guard DatasetSource.isFolder(path), let inner = try? DatasetSource(path: path) else { return [] }
        return inside(inner, depth: depth - 1)
      }
    }
    return inside(source, depth: 2)
  }

  /// The split that a file's name tells.
  private func split(_ file: String) -> String {
    let top = source.isFolder ? source.absolutePath + "/" : source.folder + "/"
    let relative = String(file.utf8.dropFirst(file.startsExactly(with: top) ? top.utf8.count : 0)) ?? file
    for part in relative.fields(at: .slash).reversed() {
      let stem = part.parted(atLast: UInt8(ascii: "."))?.before ?? part
      // `train-00000-of-00001`, `test`, `cifar10-validation`.
      let words = stem.split { !$0.isLetter }.filter { $0 != "of" }
      if let split = words.lazy.compactMap({ SplitName.canonical(String($0)) }).first { return split }
    }
    return SplitName.train
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let files = Self.files(source)
    guard !files.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "holds no Parquet file", remedy: "Name the files, or their folder"))
    }
    let duckdb = try DuckDB(for: source.path)
    let schema = try ParquetSchema(duckdb, files, shown: source.path)
    let parts = Dictionary(grouping: files, by: split)
    var summary = DatasetSummary()
    let log = ProblemLog()
    for split in parts.keys.sorted(by: { (parts[$0]?[0] ?? "") < (parts[$1]?[0] ?? "") }) {
      let part = Part(
        files: parts[split] ?? [], split: split, prefix: parts.count > 1 ? split + "/" : "", schema: schema,
        duckdb: duckdb)
      let outcome = try read(part, log, each)
      summary.samples += outcome.samples
      for notice in outcome.notices where !summary.notices.contains(notice) { summary.notices.append(notice) }
      for guess in outcome.guesses where !summary.guesses.contains(guess) { summary.guesses.append(guess) }
    }
    try log.throwIfAny()
    if let image = schema.image {
      summary.guesses.append("images: the bytes in the column \"\(image.column)\"")
    }
    return summary
  }

  private struct Part {
    var files: [String]
    var split: String
    /// Of the paths of its images.
    var prefix: String
    var schema: ParquetSchema
    var duckdb: DuckDB
  }

  private func read(
    _ part: Part, _ log: ProblemLog, _ each: (Sample) throws -> Void
  ) throws -> ManifestTable.Outcome {
    let source = ParquetSchema.source(part.files)
    let texts = part.schema.texts(without: part.schema.image?.column)
    var options = options
    var columns = texts.sql
    var places: ExtractedImages?
    if let image = part.schema.image, !options.featuresOnly {
      if options.pathColumn == nil {
        columns.insert(try Self.pathColumn(image.path, part, shown: self.source.path), at: 0)
        options.pathColumn = Self.path
      }
      places = try ExtractedImages(
        image.bytes, of: source, part.duckdb, options: options, name: Self.fileName(part),
        shown: self.source.path)
      options.featuresOnly = true
    }
    let rows = try part.duckdb.run(
      "COPY (SELECT \(columns.joined(separator: ", ")) FROM \(source)) TO '/dev/stdout' (FORMAT json)",
      file: self.source.path)
    var table = ManifestTable(
      path: rows.path, syntax: .jsonLines, options: options, root: self.source.folder,
      shownPath: self.source.path)
    if places == nil, let root = options.root { try Manifest.setRoot(root, of: &table) }
    table.prefix = part.prefix
    table.defaultSplit = part.split
    var outcome = try table.read(log) { sample in
      var sample = sample
      if let places {
        guard let location = places.location(ofRow: sample.line - 1) else {
          return log.add(self.source.path, "row \(sample.line) has no image", "Remove the row")
        }
        sample.location = location
      }
      try each(sample)
    }
    if !texts.leftOut.isEmpty {
      outcome.notices.append("columns of bytes or vectors left out: \(texts.leftOut.joined(separator: ", "))")
    }
    try places?.finish(isWhole: log.problems.isEmpty)
    return outcome
  }

  /// Names rows by the paths that stand beside the images, if those differ; else by file and number.
  private static func pathColumn(_ path: String?, _ part: Part, shown: String) throws -> String {
    let numbered = "parse_filename(cleannet_file, true) || '/' || file_row_number"
    guard let path else { return "\(numbered) AS \(Self.path)" }
    let counted = try part.duckdb.run(
      "SELECT count(*) = count(DISTINCT \(path)) AS differ FROM \(ParquetSchema.source(part.files))",
      file: shown)
    return "\(counted.text.contains("true") ? path : numbered) AS \(Self.path)"
  }

  /// The same for the same files, so that what a killed import left is replaced.
  private static func fileName(_ part: Part) -> String {
    let stamps = part.files.map { file in
      var info = stat()
      stat(file, &info)
      return "\(file):\(info.st_size):\(info.st_mtim.tv_sec).\(info.st_mtim.tv_nsec)"
    }
    let hash = ImageAddress.fileName(of: stamps.joined(separator: "\n")).parted(atFirst: .slash)?.after ?? ""
    return "parquet-\(hash).images"
  }
}

/// Images that were taken out of Parquet files into one file, one behind the other.
private final class ExtractedImages {
  private let path: String
  private let temporary: String
  private let isWritten: Bool
  /// Where each row's image begins, and where the last ends; −1 marks rows without one.
  private var starts: [Int64] = [0]
  private var isFinished = false

  /// - Parameter bytes: The expression of an image's bytes.
  init(
    _ bytes: String, of source: String, _ duckdb: DuckDB, options: DatasetOptions, name: String, shown: String
  ) throws {
    guard let folder = options.downloads else {
      throw DatasetProblems(
        DatasetProblem(
          file: shown, what: "holds compressed images, and there is no folder to unpack them to",
          remedy: "Import it into a workspace"))
    }
    path = "\(folder)/\(name)"
    temporary = "\(folder)/.\(name).\(UUID().uuidString)"
    isWritten = !options.readsOnly
    let lengths = try duckdb.run(
      "COPY (SELECT coalesce(octet_length(\(bytes)), 0) FROM \(source)) TO '/dev/stdout' (FORMAT csv, HEADER false)",
      file: shown)
    let log = ProblemLog()
    let lines = try LineReader(path: lengths.path, log: log)
    while let line = try lines.next() { starts.append(starts[starts.count - 1] + (Int64(line) ?? 0)) }
    guard isWritten else { return }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    _ = try duckdb.run(
      "COPY (SELECT coalesce(\(bytes), ''::BLOB) FROM \(source)) TO \(DuckDB.quoted(temporary)) (FORMAT blob)",
      file: shown)
    let file = try Descriptor(reading: temporary)
    guard file.size == starts.last, fsync(file.number) == 0 else {
      throw DuckDB.failure(shown, "\(file.size) of \(starts.last ?? 0) bytes were written; is the disk full?")
    }
  }

  deinit { if isWritten, !isFinished { unlink(temporary) } }

  func location(ofRow row: Int) -> ImageLocation? {
    guard row >= 0, row + 1 < starts.count, starts[row + 1] > starts[row] else { return nil }
    return .archiveMember(archive: path, offset: starts[row], length: starts[row + 1] - starts[row])
  }

  /// Gives the file its name.
  func finish(isWhole: Bool) throws {
    guard isWritten, isWhole else { return }
    guard rename(temporary, path) == 0 else { throw DuckDB.failure(path, errnoText()) }
    isFinished = true
  }
}
