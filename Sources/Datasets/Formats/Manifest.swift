import Files
import Foundation

/// A table with one row per sample: CSV, TSV (either may be gzipped) or JSON lines, with `path` and `label`, and `key`,
/// `verification` and `split` where they are known. All further columns become attributes.
package struct Manifest: DatasetFormat {
  package static let name = "manifest"
  package static let summary = "a CSV, TSV or JSONL table with columns path and label"

  package static let takes: Set<DatasetOption> = DatasetOption.ofTables

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    guard !source.isFolder, source.files == nil else { return false }
    let name = source.lowercasedName
    let known = [".csv", ".tsv", ".tab", ".psv", ".txt", ".lst", ".list", ".jsonl", ".ndjson", ".json"]
    if known.contains(where: { name.hasSuffix($0) || name.hasSuffix($0 + ".gz") }) { return true }
    // Under other names, and from pipes, which have none: text, and no image.
    return !ImageName.isImage(name) && source.looksLikeText
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    if source.isFolder {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "is a folder, not a manifest", remedy: "Name the CSV, TSV or JSONL file"))
    }
    var table = ManifestTable(
      path: source.contentPath, syntax: Self.syntax(source), options: options, root: source.folder,
      shownPath: source.path)
    if let root = options.root { try Self.setRoot(root, of: &table) }
    let log = ProblemLog()
    let outcome = try table.read(log, each)
    try log.throwIfAny()
    guard outcome.samples > 0 else { throw Self.noRows(source) }
    return DatasetSummary(outcome)
  }

  static func noRows(_ source: DatasetSource) -> DatasetProblems {
    DatasetProblems(
      DatasetProblem(
        file: source.path, what: "has a header and no row", remedy: "Write one row per sample below it"))
  }

  /// Lets a table's paths start from a folder, or from the top of an archive or of several.
  static func setRoot(_ root: String, of table: inout ManifestTable) throws {
    let source = try DatasetSource(path: root)
    if source.isFolder {
      table.root = source.absolutePath
    } else if let files = source.files {
      table.archive = ArchiveGroup(try files.map { try archive(DatasetSource(path: $0)) }, path: root)
    } else {
      table.archive = try archive(source)
    }
  }

  static func archive(_ source: DatasetSource) throws -> any ArchiveIndex {
    if let problem = source.refusal { throw DatasetProblems(problem) }
    guard source.head.starts(with: zipSignature) else { return try TarIndex(path: source.absolutePath) }
    let zip = try ZipIndex(path: source.absolutePath)
    if let problem = zip.refusal { throw DatasetProblems(problem) }
    return zip
  }

  static func syntax(_ source: DatasetSource) -> ManifestTable.Syntax {
    var name = source.lowercasedName
    if name.hasSuffix(".gz") { name.removeLast(3) }
    let text = source.head.drop { $0 == 0xEF || $0 == 0xBB || $0 == 0xBF || $0 <= 0x20 }
    if text.first == UInt8(ascii: "["),
      text.dropFirst().first(where: { $0 > 0x20 }).map({ "{[".utf8.contains($0) }) ?? false
    {
      return .json
    }
    if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") { return .jsonLines }
    if name.hasSuffix(".tsv") || name.hasSuffix(".tab") { return .delimited(UInt8(ascii: "\t")) }
    guard text.first == UInt8(ascii: "{") else { return .delimited(nil) }
    return isDocument(source) ? .json : .jsonLines
  }

  /// Whether a text that begins with an object is one JSON document, rather than one object per line.
  private static func isDocument(_ source: DatasetSource) -> Bool {
    guard let file = try? InputFile(path: source.contentPath) else { return false }
    let window = ByteWindow(file)
    var lines: [[UInt8]] = []
    while lines.count < 2 {
      // A line too long to be one is a document.
      guard let place = try? window.nextLine(number: 1, remedy: "") else { break }
      let bytes = Array(UnsafeBufferPointer(start: window.base + place.start, count: place.end - place.start))
      if bytes.contains(where: { $0 > 0x20 }) { lines.append(bytes) }
    }
    guard let first = lines.first, let names = memberNames(first) else { return true }
    if lines.count > 1 { return lines[1].first { $0 > 0x20 } != UInt8(ascii: "{") }
    let hasLabel = names.texts.count > 1 && ManifestColumns.isKnownLabel(names.texts)
    return !(ManifestColumns.isKnownPath(names.texts) || hasLabel)
  }

  /// The names of an object's members that are no lists; `nil` if the text is none.
  private static func memberNames(_ text: [UInt8]) -> (texts: [String], all: [String])? {
    var names: (texts: [String], all: [String]) = ([], [])
    do throws(JSONScanner.Fault) {
      try text.withUnsafeBufferPointer { bytes throws(JSONScanner.Fault) in
        var scanner = JSONScanner(
          UnsafeBufferPointer(rebasing: bytes.drop { $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }))
        try scanner.object { (name, scanner) throws(JSONScanner.Fault) in
          names.all.append(name)
          if !scanner.isNext("["), !scanner.isNext("{") { names.texts.append(name) }
          try scanner.skip()
        }
      }
    } catch {
      return nil
    }
    return names
  }
}
