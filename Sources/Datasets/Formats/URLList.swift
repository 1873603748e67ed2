/// A list of images on the web: a table as `Manifest` reads it, with an address in place of the path.
///
/// The column is called `url`, or is the first whose values are addresses where no column is called as paths are. A list
/// without a header has its address anywhere and the label in the first other column, with tabs, commas or, in a `.txt`
/// file, a blank between. A list of nothing but addresses is one class, named like the file.
package struct URLList: DatasetFormat {
  package static let name = "url-list"
  package static let summary =
    "a manifest or a .txt whose images are addresses (http, https), downloaded by `embed`"

  /// Names by which a column is taken for the address, the most telling first; compared without regard to case.
  static let columnNames = ["url", "image_url", "img_url", "address", "uri", "link", "href"]
  static let column = "url"

  package static let takes: Set<DatasetOption> = DatasetOption.ofTables

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    guard Manifest.detect(source), let layout = try? Layout(source, DatasetOptions()) else { return false }
    return layout.address != nil && !layout.hasPaths
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    if source.isFolder {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "is a folder, not a list of addresses",
          remedy: "Name the CSV, TSV, JSONL or .txt file"))
    }
    let layout = try Layout(source, options)
    var options = options
    options.pathColumn = options.pathColumn ?? layout.address
    options.labelColumn = options.labelColumn ?? layout.labelColumn
    var table = ManifestTable(
      path: source.contentPath, syntax: Self.syntax(source), options: options, root: source.folder,
      shownPath: source.path)
    table.label = layout.label
    let log = ProblemLog()
    let outcome = try table.read(log, each)
    try log.throwIfAny()
    guard outcome.samples > 0 else { throw Manifest.noRows(source) }
    var summary = DatasetSummary(outcome)
    if let label = layout.label {
      summary.notices.append("the list names no labels; all images belong to the class \(label)")
    }
    return summary
  }

  private static func syntax(_ source: DatasetSource) -> ManifestTable.Syntax {
    let syntax = Manifest.syntax(source)
    guard case .delimited(nil) = syntax, !source.lowercasedName.contains(".csv") else { return syntax }
    // Commas and semicolons are common in addresses: here a blank between two fields tells more.
    let line = source.head.split(separator: UInt8(ascii: "\n")).first ?? []
    guard !line.contains(.tab) else { return .delimited(.tab) }
    let fields = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
    guard fields.count < 3, fields.contains(where: ImageAddress.isAddress) else { return syntax }
    if fields.count == 2 { return .delimited(UInt8(ascii: " ")) }
    // The text after the last comma is a label, unless it looks like the rest of an address.
    let end = fields[0].split { $0 == "," || $0 == ";" }.last.map(String.init) ?? ""
    return end.utf8.contains(.slash) || ImageName.isImage(end) ? .delimited(.tab) : syntax
  }

  /// Which column holds what, told by the header and the first row.
  private struct Layout {
    /// The column of addresses.
    var address: String?
    /// The column of labels, of a list without a header.
    var labelColumn: String?
    /// The label of all, of a list without labels.
    var label: String?
    /// Whether a column is called as paths are, and holds none of the addresses.
    var hasPaths = false

    init(_ source: DatasetSource, _ options: DatasetOptions) throws {
      let table = ManifestTable(
        path: source.contentPath, syntax: URLList.syntax(source), options: options, root: source.folder)
      let reader = try table.reader()
      let names = reader.columns
      guard !names.isEmpty, try reader.next(), reader.fault == nil else { return }
      let holds = try names.indices.map { column in
        try reader.text(column).map(ImageAddress.isAddress) ?? false
      }
      let lowered = names.map { $0.lowercased() }
      func first(_ known: [String]) -> Int? { known.lazy.compactMap { lowered.firstIndex(of: $0) }.first }
      let named = first(URLList.columnNames).flatMap { holds[$0] ? $0 : nil }
      guard let column = named ?? holds.firstIndex(of: true) else { return }
      address = String(column + 1)
      if let path = first(ManifestColumns.pathNames) { hasPaths = !holds[path] }
      guard names == names.indices.map({ String($0 + 1) }) else {
        address = names[column]
        return
      }
      if let other = names.indices.first(where: { $0 != column }) {
        labelColumn = String(other + 1)
      } else if options.labelColumn == nil {
        labelColumn = address
        label = Self.stem(source)
      }
    }

    /// The file's name without its extensions.
    private static func stem(_ source: DatasetSource) -> String {
      let name = source.absolutePath.parted(atLast: .slash)?.after ?? source.absolutePath
      return name.parted(atFirst: UInt8(ascii: "."))?.before ?? name
    }
  }
}

extension URLList: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try ManifestWriter(output, addresses: true)
  }
}
