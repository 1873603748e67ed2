import Foundation

/// Hugging Face's image folder: `metadata.csv` or `metadata.jsonl` beside the images, with `file_name` and a label
/// column; either at the top, or one in each split's folder.
public struct HuggingFaceFolder: DatasetFormat {
  public static let name = "hf-image-folder"
  public static let summary = "images beside a metadata.csv or metadata.jsonl with file_name and a label"

  static let tables = ["metadata.jsonl", "metadata.csv"]

  private let source: DatasetSource
  private let options: DatasetOptions

  public init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  public static func detect(_ source: DatasetSource) -> Bool {
    !places(source).isEmpty
  }

  /// The folders with a table, relative to the source, and the tables.
  private static func places(_ source: DatasetSource) -> [(folder: String, table: String)] {
    guard source.isFolder else { return [] }
    if let table = tables.first(where: { source.has($0) }) { return [("", table)] }
    return source.names(limit: 256).compactMap { name in
      guard ImageFolder.splitNames.contains(name.lowercased()) else { return nil }
      return tables.first { source.has("\(name)/\($0)") }.map { (name, $0) }
    }
  }

  public func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let places = Self.places(source)
    if places.isEmpty {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "has no metadata.csv or metadata.jsonl",
          remedy: "Import it as an image folder, or name the manifest"))
    }
    let log = ProblemLog()
    var summary = DatasetSummary()
    for (folder, table) in places {
      let root = folder.isEmpty ? source.absolutePath : "\(source.absolutePath)/\(folder)"
      var manifest = ManifestTable(
        path: "\(root)/\(table)",
        syntax: table.hasSuffix(".jsonl") ? .jsonLines : .delimited(UInt8(ascii: ",")),
        options: options, root: root)
      if !folder.isEmpty {
        manifest.prefix = folder + "/"
        manifest.defaultSplit = folder
      }
      summary.samples += try manifest.read(log, each)
    }
    try log.throwIfAny()
    return summary
  }
}
