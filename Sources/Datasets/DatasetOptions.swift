/// The user's statements about a source beyond its path. Everything has a default that formats detect.
package struct DatasetOptions: Sendable {
  /// The name of the format, where detection is not wanted.
  package var format: String?
  /// The folder, or the tar file, that a manifest's paths start from; by default the manifest's folder.
  package var root: String?
  /// Columns of a manifest: by name, or by number from 1.
  package var pathColumn: String?
  package var labelColumn: String?
  package var keyColumn: String?
  package var verificationColumn: String?
  package var splitColumn: String?
  /// Puts every sample into this split, whatever the source says.
  package var split: String?
  /// Whether a CSV or TSV manifest starts with a header; `nil` detects it.
  package var hasHeader: Bool?
  /// Names of the classes of sources that number them from 0.
  package var classNames: [String]?
  /// Renames labels, so that the classes of several sources meet.
  package var labelMap: [String: String] = [:]
  /// Further columns that hold labels, such as true ones; they get the same names as labels.
  package var truthColumns: [String] = []
  /// Features come from elsewhere: images that are not there are no fault, and samples need none.
  package var featuresOnly = false
  /// The folder that images named by an address will be downloaded to. Without one, addresses are problems.
  package var downloads: String?
  /// Which folder of an image's path is its class: from 1 at the top, or from −1 at the image. `nil` finds out.
  package var classLevel: Int?
  /// Takes the class from images' names: `{label}_*.jpg`.
  package var labelPattern: String?
  /// Replacements for the beginnings of a manifest's paths; the first that fits counts.
  package var pathPrefixes: [(from: String, to: String)] = []
  /// Makes a path of a row's texts, such as `images/{}.jpg` of an id.
  package var pathTemplate: String?
  /// Put before every key, so that sources may name their images alike.
  package var keyPrefix = ""
  /// Nothing is kept: what only an import needs, such as images taken out of their container, is left undone.
  package var readsOnly = false

  package init() {}
}

/// Options that only some formats can follow, by the flag's name.
package enum DatasetOption: String, Sendable, CaseIterable {
  case root = "--root"
  case pathColumn = "--path-column"
  case labelColumn = "--label-column"
  case keyColumn = "--key-column"
  case verificationColumn = "--verification-column"
  case splitColumn = "--split-column"
  case classLevel = "--class-level"
  case labelPattern = "--label-pattern"
  case pathPrefixes = "--path-prefix"
  case pathTemplate = "--path-template"

  /// The options of tables.
  static let ofTables: Set<DatasetOption> = [
    .root, .pathColumn, .labelColumn, .keyColumn, .verificationColumn, .splitColumn, .pathPrefixes,
    .pathTemplate,
  ]
  /// The options of folders of classes.
  static let ofFolders: Set<DatasetOption> = [.classLevel, .labelPattern]
}

extension DatasetOptions {
  /// The given options that only some formats follow.
  var given: Set<DatasetOption> {
    let all: [(DatasetOption, Bool)] = [
      (.root, root != nil), (.pathColumn, pathColumn != nil), (.labelColumn, labelColumn != nil),
      (.keyColumn, keyColumn != nil), (.verificationColumn, verificationColumn != nil),
      (.splitColumn, splitColumn != nil), (.classLevel, classLevel != nil),
      (.labelPattern, labelPattern != nil), (.pathPrefixes, !pathPrefixes.isEmpty),
      (.pathTemplate, pathTemplate != nil),
    ]
    return Set(all.filter(\.1).map(\.0))
  }

  /// The name of a class that is written as its number.
  func className(_ text: String) -> String? {
    guard let classNames, let number = Int(text), classNames.indices.contains(number) else { return nil }
    return classNames[number]
  }

  func missingColumns(_ names: Set<String>) -> DatasetProblems {
    DatasetProblems(
      DatasetProblem(
        file: "--truth-columns",
        what: "no image has a column \(names.sorted().map { "\"\($0)\"" }.joined(separator: ", "))",
        remedy: "Name columns other than path and label, separated by commas"))
  }

  /// The folder that the images of a folder's lists lie in: `root`, by default the folder itself.
  func imageRoot(of source: DatasetSource) throws(DatasetProblems) -> String {
    guard let root else { return source.absolutePath }
    let folder = try DatasetSource(path: root)
    guard folder.isFolder else {
      throw DatasetProblems(
        DatasetProblem(
          file: root, what: "is not a folder",
          remedy: "Only manifests find their images in an archive; unpack it"))
    }
    return folder.absolutePath
  }
}
