import Foundation

/// Hugging Face's image folder: `metadata.csv` or `metadata.jsonl` beside the images, with `file_name` and a label
/// column; either at the top, or one in each split's folder.
package struct HuggingFaceFolder: DatasetFormat {
  package static let name = "hf-image-folder"
  package static let summary = "images beside a metadata.csv or metadata.jsonl with file_name and a label"

  /// Roboflow keeps one column per class in `_classes.csv`.
  static let tables = ["metadata.jsonl", "metadata.csv", "_classes.csv"]

  package static let takes: Set<DatasetOption> = DatasetOption.ofTables

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    !places(source).isEmpty
  }

  /// The folders with a table, relative to the source, and the tables.
  private static func places(_ source: DatasetSource) -> [(folder: String, table: String)] {
    guard source.isFolder else { return [] }
    if let table = tables.first(where: { namesImages("\(source.absolutePath)/\($0)") }) {
      return [("", table)]
    }
    func inside(_ folder: String, _ names: [String]) -> [(folder: String, table: String)] {
      names.filter { SplitName.canonical($0) != nil }.compactMap { name in
        tables.first { namesImages("\(source.absolutePath)/\(folder)\(name)/\($0)") }.map {
          (folder + name, $0)
        }
      }
    }
    let names = source.names(limit: 256)
    let found = inside("", names)
    if !found.isEmpty { return found }
    // A folder around it, such as data/.
    for name in names where LevelFinder.isWrapper(name) {
      guard let inner = try? DatasetSource(path: "\(source.absolutePath)/\(name)"), inner.isFolder else {
        continue
      }
      if let table = tables.first(where: { namesImages("\(inner.absolutePath)/\($0)") }) {
        return [(name, table)]
      }
      let found = inside(name + "/", inner.names(limit: 256))
      if !found.isEmpty { return found }
    }
    return []
  }

  /// Whether there is such a table, with a column of file names: some tables beside images only describe them.
  private static func namesImages(_ table: String) -> Bool {
    guard let source = try? DatasetSource(path: table), !source.isFolder else { return false }
    let line = String(decoding: source.head, as: UTF8.self).prefix { !$0.isNewline }
    let names = line.split { ",;\t{}:\"".contains($0) }.map { String($0).trimmedBlanks.lowercased() }
    return ["file_name", "filename", "image", "path", "file"].contains { names.contains($0) }
      || names.contains { $0.hasSuffix("_file_name") }
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
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
        let name = folder.parted(atLast: .slash)?.after ?? folder
        manifest.defaultSplit = SplitName.canonical(name) ?? SplitName.train
      }
      if let root = options.root { try Manifest.setRoot(root, of: &manifest) }
      let outcome = try manifest.read(log, each)
      summary.samples += outcome.samples
      summary.notices += outcome.notices
      for guess in outcome.guesses where !summary.guesses.contains(guess) { summary.guesses.append(guess) }
    }
    try log.throwIfAny()
    return summary
  }
}
