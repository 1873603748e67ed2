/// Which columns of a manifest mean what: by the user's flags, else by the names that people use.
struct ManifestColumns {
  /// Names by which a column is taken for the path, the most telling first; compared without regard to case.
  static let pathNames = [
    "path", "file_name", "filename", "filepath", "file", "image_path", "image", "img", "img_path",
  ]
  static let labelNames = ["label", "class", "category", "label_name", "class_name", "given_label", "target"]
  static let keyNames = ["key"]
  static let verificationNames = ["verification", "verification_label", "verified"]
  static let splitNames = ["split"]

  enum Role {
    case path, label, key, verification, split, attribute
  }

  var path: Int?
  var label: Int
  var key: Int?
  var verification: Int?
  var split: Int?

  /// - Throws: `DatasetProblems` that name the columns there are, if one is missing or two have one name.
  init(_ names: [String], file: String, options: DatasetOptions) throws(DatasetProblems) {
    var problems = DatasetProblems()
    let lowered = names.map { $0.lowercased() }
    let listed = "Its columns are: \(names.map { "\"\($0)\"" }.joined(separator: ", "))"
    func find(_ wanted: String?, flag: String, _ known: [String]) -> Int? {
      guard let wanted else {
        return known.lazy.compactMap { lowered.firstIndex(of: $0) }.first
      }
      if let index = names.firstIndex(of: wanted) { return index }
      if let number = Int(wanted), (1...max(1, names.count)).contains(number) { return number - 1 }
      problems.add(
        DatasetProblem(
          file: file, what: "has no column \"\(wanted)\", which --\(flag)-column names", remedy: listed))
      return nil
    }
    if let twice = Dictionary(grouping: names, by: { $0 }).first(where: { $1.count > 1 })?.key {
      problems.add(
        DatasetProblem(
          file: file, line: 1, what: "has two columns \"\(twice)\"", remedy: "Rename one of them"))
    }
    path = find(options.pathColumn, flag: "path", Self.pathNames)
    let label = find(options.labelColumn, flag: "label", Self.labelNames)
    key = find(options.keyColumn, flag: "key", Self.keyNames)
    verification = find(options.verificationColumn, flag: "verification", Self.verificationNames)
    split = find(options.splitColumn, flag: "split", Self.splitNames)
    self.label = label ?? 0
    if problems.isEmpty, path == nil, !(options.featuresOnly && key != nil) {
      problems.add(
        DatasetProblem(
          file: file, what: "has no column with the images' paths",
          remedy: "\(listed). Name one with --path-column"))
    }
    if problems.isEmpty, label == nil {
      problems.add(
        DatasetProblem(
          file: file, what: "has no label column", remedy: "\(listed). Name one with --label-column"))
    }
    if !problems.isEmpty { throw problems }
  }

  func role(_ column: Int) -> Role {
    switch column {
    case label: .label
    case path: .path
    case key: .key
    case verification: .verification
    case split: .split
    default: .attribute
    }
  }

  /// Whether a first record names columns rather than an image: it holds a known name, or one that a flag gives.
  static func looksLikeHeader(_ fields: [String], options: DatasetOptions) -> Bool {
    if let hasHeader = options.hasHeader { return hasHeader }
    let named = [
      options.pathColumn, options.labelColumn, options.keyColumn, options.verificationColumn,
      options.splitColumn,
    ]
    if fields.contains(where: { field in named.contains(field) }) { return true }
    // A first row such as "cat.jpg,label" has an image in it and is none.
    if fields.contains(where: { ImageName.isImage($0) }) { return false }
    let known = Set(pathNames + labelNames + keyNames)
    return fields.contains { known.contains($0.lowercased()) }
  }
}
