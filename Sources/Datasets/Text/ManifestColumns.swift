/// Which columns of a manifest mean what: by the user's flags, else by the names that people use, else by what the cells of
/// the first rows hold.
struct ManifestColumns {
  /// Names by which a column is taken for the path, the most telling first; compared without case, blanks, `_` and `-`.
  static let pathNames = [
    "path", "file_name", "filepath", "filepaths", "file", "files", "image_path", "image_file", "image",
    "images", "img",
    "img_path", "image_name", "img_name", "image_id", "img_id", "id_code", "isic_id", "picture", "photo",
  ]
  static let labelNames = [
    "label", "labels", "class", "classes", "category", "label_name", "class_name", "category_name",
    "given_label", "target",
    "ground_truth", "diagnosis", "dx", "breed", "species", "choice", "class_id", "label_id", "category_id",
    "tag", "tags",
  ]
  static let keyNames = ["key"]
  static let verificationNames = ["verification", "verification_label", "verified"]
  static let splitNames = ["split"]
  /// Columns that are splits if their cells are.
  private static let otherSplitNames = [
    "splits", "set", "dataset", "subset", "partition", "fold", "usage", "phase", "mode", "purpose", "part",
    "stage", "role", "type",
  ]
  /// Columns of names that stand beside columns of numbers.
  private static let nameNames = [
    "label_name", "class_name", "category_name", "label_text", "label_str", "class_label", "label_names",
    "species", "breed", "name",
  ]
  /// Columns that are no labels, whatever they hold.
  private static let plainNames: Set<String> = Set(
    [
      "width", "height", "size", "bytes", "id", "index", "age", "sex", "date", "time", "url", "source",
      "license", "caption",
      "text", "prompt", "title", "description", "attribution", "note", "notes", "comment", "author", "md5",
      "sha256", "hash",
      "truth", "true", "true_label", "clean_label",
    ].map(folded))

  enum Role {
    case path, label, key, verification, split, attribute
  }

  /// Where a row's label stands.
  enum Label {
    case column(Int)
    /// One column per class, of which one holds 1.
    case oneHot([Int])
    /// The folder that the image lies in.
    case folder
    /// The same for all rows.
    case none
  }

  var path: Int?
  var label: Label
  var key: Int?
  var verification: Int?
  var split: Int?
  /// Whether the label column holds class numbers as pandas writes them beside missing values: `3.0`.
  var hasFloatNumbers = false
  /// Whether the label column holds JSON, or what Python prints of a list, in each row.
  var hasNestedLabels = false
  /// Where a column of yes and no says of which split a row is, what each means.
  private(set) var splitFlag: (yes: String, no: String)?
  /// The guesses about the columns, one line each.
  private(set) var guesses: [String] = []

  static func folded(_ name: String) -> String {
    name.lowercased().filter { !$0.isWhitespace && $0 != "_" && $0 != "-" }
  }

  private static func first(_ known: [String], in names: [String], where fits: (Int) -> Bool = { _ in true })
    -> Int?
  {
    for name in known {
      let name = folded(name)
      if let column = names.indices.first(where: { names[$0] == name && fits($0) }) { return column }
    }
    return nil
  }

  static func isKnownPath(_ names: [String]) -> Bool {
    first(pathNames + keyNames, in: names.map(folded)) != nil
  }
  static func isKnownLabel(_ names: [String]) -> Bool { first(labelNames, in: names.map(folded)) != nil }

  /// - Parameters:
  ///   - sample: The first rows.
  ///   - needsLabel: Whether rows have labels of their own.
  ///   - pathParts: The columns that paths are made of, where they have none of their own.
  /// - Throws: `DatasetProblems` that name the columns there are, if one is missing or two have one name.
  init(
    _ sample: TableSample, file: String, options: DatasetOptions, resolver: PathResolver,
    needsLabel: Bool = true, pathParts: [Int] = []
  ) throws(DatasetProblems) {
    let names = sample.columns
    let folded = names.map(Self.folded)
    var problems = DatasetProblems()
    let listed = "Its columns are: \(names.map { "\"\($0)\"" }.joined(separator: ", "))"
    func flagged(_ wanted: String?, _ flag: String) -> Int? {
      guard let wanted else { return nil }
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
    let chosenPath = flagged(options.pathColumn, "path")
    let chosenLabel = flagged(options.labelColumn, "label")
    key = flagged(options.keyColumn, "key") ?? Self.first(Self.keyNames, in: folded)
    verification =
      flagged(options.verificationColumn, "verification") ?? Self.first(Self.verificationNames, in: folded)
    let chosenSplit = flagged(options.splitColumn, "split")
    path = chosenPath
    label = .none
    if !problems.isEmpty { throw problems }

    // The label may be a part of the path; what it is made of beside that says that there is one.
    if path == nil {
      path =
        pathParts.first { $0 != chosenLabel && !Self.isKnownLabel([names[$0]]) } ?? pathParts.first
    }
    if path == nil {
      path = Self.pathColumn(
        sample, folded, taken: [chosenLabel, key, verification, chosenSplit], options, resolver)
    }
    if path == nil, !(options.featuresOnly && key != nil) {
      throw DatasetProblems(
        DatasetProblem(
          file: file, what: "has no column with the images' paths",
          remedy: Self.remedy(sample, listed, "path")
            + (key == nil
              ? "" : "; if features stand for images, name their file with --features")
        ))
    }
    split =
      chosenSplit
      ?? Self.first(Self.splitNames + Self.otherSplitNames, in: folded) { column in
        let cells = sample.cells(column)
        return column != chosenLabel && column != path
          && (folded[column] == "split"
            || (!cells.isEmpty && cells.allSatisfy { SplitName.canonical($0) != nil }))
      }
    if split == nil {
      split = folded.indices.first { column in
        let cells = sample.cells(column)
        guard sample.hasHeader, column != chosenLabel, column != path, !cells.isEmpty,
          cells.allSatisfy({ Self.flag($0) != nil }), let flag = SplitName.flag(names[column])
        else { return false }
        splitFlag = flag
        return true
      }
    }
    if let chosenLabel {
      label = .column(chosenLabel)
    } else if needsLabel,
      let found = Self.label(sample, folded, taken: [path, key, verification, split], path)
    {
      label = found
    } else if needsLabel {
      throw DatasetProblems(
        DatasetProblem(
          file: file, what: "has no label column",
          remedy: Self.remedy(sample, listed, "label")
        ))
    }
    if case .column(let column) = label {
      let cells = sample.cells(column)
      hasFloatNumbers = !cells.isEmpty && cells.allSatisfy { Self.integer($0) != nil }
      hasNestedLabels = !cells.isEmpty && cells.allSatisfy { DatasetTally.isStructure($0) }
    }
    describe(names, sample)
  }

  private static func remedy(_ sample: TableSample, _ listed: String, _ role: String) -> String {
    guard sample.columns.count > 1 else {
      return
        "Its lines hold one field each: separate fields by comma, semicolon, tab or |, with one row per sample. "
        + "\(listed); --\(role)-column names one"
    }
    return
      "\(listed). Name one with --\(role)-column\(sample.hasHeader ? "" : "; the first row was taken for data")"
  }

  private mutating func describe(_ names: [String], _ sample: TableSample) {
    func name(_ column: Int) -> String { sample.hasHeader ? "\"\(names[column])\"" : "\(column + 1)" }
    var parts: [String] = []
    if let path { parts.append("path \(name(path))") }
    switch label {
    case .column(let column): parts.append("label \(name(column))")
    case .oneHot(let columns):
      parts.append("label: the one of \(LevelFinder.list(columns.map { names[$0] })) that holds 1")
    case .folder: parts.append("label: the folder of each path")
    case .none: break
    }
    for (role, column) in [("key", key), ("verification", verification), ("split", split)] {
      if let column { parts.append("\(role) \(name(column))") }
    }
    guesses.append("columns: \(parts.joined(separator: ", "))")
    if !sample.hasHeader {
      let first = sample.rows.first?.compactMap { $0 }.joined(separator: ", ") ?? ""
      guesses.append("header: none; the first row is data (\(first.prefix(60)))")
    }
    if let splitFlag, let split {
      guesses.append("splits: yes in \(name(split)) is \(splitFlag.yes), no is \(splitFlag.no)")
    }
    if hasNestedLabels { guesses.append("labels: lists and objects are read as the one name in them") }
    if hasFloatNumbers { guesses.append("labels: class numbers written as 3.0 are read as 3") }
  }

  /// The text of an integer that is written as `3.0`; `nil` for all else.
  static func integer(_ text: String) -> String? {
    guard let (whole, fraction) = text.parted(atFirst: UInt8(ascii: ".")), !fraction.isEmpty,
      fraction.utf8.allSatisfy({ $0 == UInt8(ascii: "0") }), Int(whole) != nil
    else { return nil }
    return whole
  }

  private static func pathColumn(
    _ sample: TableSample, _ folded: [String], taken: [Int?], _ options: DatasetOptions,
    _ resolver: PathResolver
  ) -> Int? {
    let free = folded.indices.filter { !taken.contains($0) }
    let known = sample.hasHeader ? first(pathNames, in: folded) { free.contains($0) } : nil
    if options.featuresOnly { return known ?? (sample.hasHeader ? nil : taken.contains(0) ? nil : 0) }
    func looksLikePaths(_ column: Int) -> Bool {
      let cells = sample.cells(column)
      return !cells.isEmpty
        && cells.count { ImageName.isImage($0.trimmedBlanks) || ImageAddress.isAddress($0) } * 2 > cells.count
    }
    func leadsToImages(_ column: Int) -> Bool {
      !sample.cells(column).isEmpty && resolver.finds(sample.cells(column))
    }
    let all = (known.map { [$0] } ?? []) + free.filter { $0 != known }
    if let known, looksLikePaths(known) || leadsToImages(known) { return known }
    return all.first { looksLikePaths($0) } ?? all.first(where: leadsToImages) ?? known
      ?? (sample.hasHeader ? nil : free.first)
  }

  private static func label(_ sample: TableSample, _ folded: [String], taken: [Int?], _ path: Int?) -> Label?
  {
    let free = folded.indices.filter { !taken.contains($0) }
    guard sample.hasHeader else { return free.first.map { .column($0) } }
    if let known = first(labelNames, in: folded, where: { free.contains($0) }) {
      // Where a number stands in one column and its name in another, the name is the label.
      let areNumbers = !sample.cells(known).isEmpty && sample.cells(known).allSatisfy { Double($0) != nil }
      let named = first(nameNames, in: folded) { column in
        let cells = sample.cells(column)
        return free.contains(column) && !cells.isEmpty && cells.allSatisfy { Double($0) == nil }
          && isOneToOne(sample, known, column)
      }
      return .column(areNumbers ? named ?? known : known)
    }
    if let columns = oneHot(sample, free) { return .oneHot(columns) }
    let texts = free.filter { column in
      let cells = sample.cells(column)
      return !plainNames.contains(folded[column]) && !cells.isEmpty && cells.allSatisfy { Double($0) == nil }
    }
    if texts.count == 1 { return .column(texts[0]) }
    guard texts.isEmpty, let path else { return nil }
    let folders = sample.cells(path).map { text in
      text.parted(atLast: .slash).map { $0.before.parted(atLast: .slash)?.after ?? $0.before }
    }
    let names = Set(folders.compactMap { $0 })
    guard !folders.isEmpty, folders.allSatisfy({ $0 != nil }),
      names.count > 1 || names.allSatisfy({ !LevelFinder.isWrapper($0) && SplitName.canonical($0) == nil })
    else { return nil }
    return .folder
  }

  /// Whether two columns part the rows alike.
  private static func isOneToOne(_ sample: TableSample, _ one: Int, _ other: Int) -> Bool {
    var forth: [String: String] = [:]
    var back: [String: String] = [:]
    for row in sample.rows {
      guard let first = row[one], let second = row[other] else { continue }
      if forth.updateValue(second, forKey: first) ?? second != second { return false }
      if back.updateValue(first, forKey: second) ?? first != first { return false }
    }
    return true
  }

  /// Columns of zeros and ones, of which each row has a one in exactly one.
  private static func oneHot(_ sample: TableSample, _ free: [Int]) -> [Int]? {
    let columns = free.filter { column in
      let cells = sample.cells(column)
      return !cells.isEmpty && cells.allSatisfy { flag($0) != nil }
    }
    guard columns.count > 1, !sample.rows.isEmpty else { return nil }
    let ones = sample.rows.map { row in columns.count { column in row[column].flatMap(flag) == true } }
    return ones.count { $0 == 1 } * 2 > ones.count ? columns : nil
  }

  static func flag(_ text: String) -> Bool? {
    switch text.trimmedBlanks {
    case "1", "1.0", "true", "True", "TRUE": true
    case "0", "0.0", "false", "False", "FALSE": false
    default: nil
    }
  }

  func role(_ column: Int) -> Role {
    switch label {
    case .column(let label) where label == column: return .label
    case .oneHot(let columns) where columns.contains(column): return .label
    default: break
    }
    switch column {
    case path: return .path
    case key: return .key
    case verification: return .verification
    case split: return .split
    default: return .attribute
    }
  }
}
