import Foundation

/// A table with a row a sample: CSV, TSV (either may be gzipped) or JSON lines, with `path` and `label`, and
/// `key`, `verification` and `split` where they are known. All further columns become attributes.
public struct Manifest: DatasetFormat {
  public static let name = "manifest"
  public static let summary = "a CSV, TSV or JSONL table with columns path and label"

  private let source: DatasetSource
  private let options: DatasetOptions

  public init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  public static func detect(_ source: DatasetSource) -> Bool {
    guard !source.isFolder, source.files == nil else { return false }
    let name = source.lowercasedName
    let known = [".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson"]
    return known.contains { name.hasSuffix($0) || name.hasSuffix($0 + ".gz") }
  }

  public func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    if source.isFolder {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "is a folder, not a manifest", remedy: "Name the CSV, TSV or JSONL file"))
    }
    var table = ManifestTable(
      path: source.path, syntax: Self.syntax(source), options: options, root: source.folder)
    if let root = options.root {
      let rootSource = try DatasetSource(path: root)
      if rootSource.isFolder {
        table.root = rootSource.absolutePath
      } else {
        table.archive = try Self.archive(rootSource)
      }
    }
    let log = ProblemLog()
    let count = try table.read(log, each)
    try log.throwIfAny()
    guard count > 0 else { throw Self.noRows(source) }
    return DatasetSummary(samples: count)
  }

  static func noRows(_ source: DatasetSource) -> DatasetProblems {
    DatasetProblems(
      DatasetProblem(
        file: source.path, what: "has a header and no row", remedy: "Write a row a sample behind it"))
  }

  private static func archive(_ source: DatasetSource) throws -> any ArchiveIndex {
    if let problem = source.refusal { throw DatasetProblems(problem) }
    guard source.head.starts(with: ZipIndex.signature) else { return try TarIndex(path: source.absolutePath) }
    let zip = try ZipIndex(path: source.absolutePath)
    if let problem = zip.refusal { throw DatasetProblems(problem) }
    return zip
  }

  static func syntax(_ source: DatasetSource) -> ManifestTable.Syntax {
    var name = source.lowercasedName
    if name.hasSuffix(".gz") { name.removeLast(3) }
    if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") { return .jsonLines }
    if name.hasSuffix(".tsv") || name.hasSuffix(".tab") { return .delimited(UInt8(ascii: "\t")) }
    let text = source.head.drop { $0 == 0xEF || $0 == 0xBB || $0 == 0xBF || $0 <= 0x20 }
    return text.first == UInt8(ascii: "{") ? .jsonLines : .delimited(nil)
  }
}
