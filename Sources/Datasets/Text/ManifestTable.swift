import Foundation

/// Turns the records of a manifest into samples. Formats that keep a table beside their images share it.
struct ManifestTable {
  enum Syntax: Sendable {
    /// `nil` guesses the delimiter from the first lines.
    case delimited(UInt8?)
    case jsonLines
    /// One document that holds all.
    case json
  }

  var path: String
  var syntax: Syntax
  var options: DatasetOptions
  /// The folder that relative paths start from.
  var root: String
  /// The file's name in messages, if its path says nothing.
  var shownPath: String?
  /// Put before the path of every sample, such as `train/`.
  var prefix = ""
  /// The split of rows that name none.
  var defaultSplit = SplitName.train
  /// Where the images lie in a tar or zip file.
  var archive: (any ArchiveIndex)?
  /// The label of all rows, of a list without any.
  var label: String?

  var shown: String { shownPath ?? path }

  /// The outcome of reading a table.
  struct Outcome {
    var samples = 0
    var notices: [String] = []
    var guesses: [String] = []
  }

  /// Reads the rows. Bad ones go to `log`; the others to `each`.
  func read(_ log: ProblemLog, _ each: (Sample) throws -> Void) throws -> Outcome {
    let places = ImagePlaces(root: root, archive: archive)
    let resolver = PathResolver(places, options: options)
    let sample = try tableSample(resolver)
    let reader = try reader(hasHeader: sample.hasHeader)
    guard !reader.columns.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(
          file: shown, what: "is empty", remedy: "Write one row per sample, with its path and its label"))
    }
    var rows = try Rows(self, sample, resolver)
    rows.names = reader.columns
    var probe = RootProbe(root: root, active: !options.featuresOnly && archive == nil, resolver: resolver)
    var count = 0
    while try reader.next() {
      if let fault = reader.fault {
        log.add(shown, line: reader.line, fault.what, fault.remedy)
        continue
      }
      // JSON lines may bring a column that the first rows did not have.
      if reader.columns.count != rows.names.count { rows.names = reader.columns }
      let sample: Sample
      do {
        guard let found = try rows.sample(reader) else { continue }
        sample = found
      } catch let fault as RecordFault {
        log.add(shown, line: reader.line, fault.what, fault.remedy)
        continue
      }
      try log.adding { () throws(DatasetProblems) in try probe.see(sample, file: shown) }
      count += 1
      try each(sample)
    }
    try log.adding { () throws(DatasetProblems) in try probe.finish(file: shown) }
    return Outcome(
      samples: count,
      notices: sample.notices + rows.notices.notices + resolver.notices.notices + probe.notices,
      guesses: rows.columns.guesses + rows.guesses)
  }

  private func tableSample(_ resolver: PathResolver) throws -> TableSample {
    switch syntax {
    case .delimited(let delimiter):
      try TableSample(delimited: path, delimiter, options: options, resolver: resolver)
    case .jsonLines: try TableSample(named: JSONLinesReader(path: path))
    case .json: try TableSample(named: JSONDocumentReader(path: path))
    }
  }

  /// Opens the file and reads its first record; whether that names columns is found out.
  func reader() throws -> any RecordReader {
    let places = ImagePlaces(root: root, archive: archive)
    return try reader(hasHeader: tableSample(PathResolver(places, options: options)).hasHeader)
  }

  private func reader(hasHeader: Bool) throws -> any RecordReader {
    switch syntax {
    case .delimited(let delimiter):
      try DelimitedReader(path: path, delimiter: delimiter) { _ in hasHeader }
    case .jsonLines: try JSONLinesReader(path: path)
    case .json: try JSONDocumentReader(path: path)
    }
  }

  static func verification(_ text: String) throws(RecordFault) -> Bool? {
    switch VerdictText(text) {
    case .right: return true
    case .wrong: return false
    case .unsure, .none: return nil
    case .other:
      throw RecordFault(
        what: "has the verification \"\(text)\"",
        remedy: "Write 1 (label right), 0 (wrong) or nothing (unknown)")
    }
  }
}

/// Makes samples of a table's rows, once it is known what the columns mean.
private struct Rows {
  let table: ManifestTable
  let columns: ManifestColumns
  let resolver: PathResolver
  let notices = NoticeLog()
  private(set) var guesses: [String] = []
  /// All columns met so far.
  var names: [String] = []
  private let template: PathTemplate?

  init(_ table: ManifestTable, _ sample: TableSample, _ resolver: PathResolver) throws {
    self.table = table
    self.resolver = resolver
    template = try table.options.pathTemplate.map {
      try PathTemplate($0, columns: sample.columns, file: table.shown)
    }
    columns = try ManifestColumns(
      sample, file: table.shown, options: table.options, resolver: resolver, needsLabel: table.label == nil,
      pathParts: template?.ownColumns ?? [])
    guard !table.options.featuresOnly, let path = columns.path else { return }
    let written = sample.rows.compactMap { row -> String? in
      guard let text = row[path] else { return nil }
      return template?.filled(text) { row[$0] } ?? text
    }
    resolver.learn(from: Array(written.prefix(RootProbe.rowsProbed)))
    if let guess = resolver.guess(column: sample.columns[path]) { guesses.append(guess) }
  }

  /// The sample of a row; `nil` if it is passed over.
  func sample(_ reader: any RecordReader) throws -> Sample? {
    let options = table.options
    var written: String?
    if let column = columns.path { written = try reader.text(column) }
    let key = try columns.key.flatMap { try reader.text($0) }
    guard var place = written ?? (options.featuresOnly ? key : nil) else {
      throw RecordFault(what: "has no path", remedy: "Fill the path in, or remove the row")
    }
    guard !place.utf8.contains(0) else {
      throw RecordFault(what: "has a path with a zero byte", remedy: "Correct the path")
    }
    if let template { place = try template.filled(place) { try reader.text($0) } }
    let (cleaned, path) =
      options.featuresOnly || ImageAddress.isAddress(place) ? (place, place) : try resolver.resolve(place)
    guard let label = try label(reader, path: path) else { return nil }
    var verification: Bool?
    if let column = columns.verification, let text = try reader.text(column) {
      verification = try ManifestTable.verification(text)
    }
    var told = try columns.split.flatMap { try plain(reader, $0) }
    if let flag = columns.splitFlag {
      told = told.flatMap(ManifestColumns.flag).map { $0 ? flag.yes : flag.no }
    }
    let split = options.split ?? told ?? table.defaultSplit
    var attributes: [SampleAttribute] = []
    for column in names.indices where columns.role(column) == .attribute {
      if let value = try reader.text(column) {
        attributes.append(SampleAttribute(name: names[column], value: value))
      }
    }
    let prefix = table.prefix
    // Ids stay keys as they are written, though their files have longer names.
    return Sample(
      key: key ?? (prefix.isEmpty ? cleaned : prefix + cleaned), path: prefix.isEmpty ? path : prefix + path,
      location: try location(path), label: label, split: split,
      verification: verification, attributes: attributes, source: table.shown, line: reader.line)
  }

  /// A column's text; of a JSON list or object with one text in it, that.
  private func plain(_ reader: any RecordReader, _ column: Int) throws -> String? {
    guard let text = try reader.text(column), reader.isNested(column) else { return try reader.text(column) }
    if case .one(let only) = NestedLabel(text) { return only }
    return nil
  }

  private static let noLabel = RecordFault(
    what: "has no label", remedy: "Fill the label in, or remove the row")

  /// The row's label; `nil` if it has several.
  private func label(_ reader: any RecordReader, path: String) throws -> String? {
    if let label = table.label { return label }
    switch columns.label {
    case .none: throw Self.noLabel
    case .folder:
      guard let folder = path.parted(atLast: .slash)?.before else { throw Self.noLabel }
      return try named(folder.parted(atLast: .slash)?.after ?? folder)
    case .oneHot(let places):
      let ones = try places.filter { try reader.text($0).flatMap(ManifestColumns.flag) == true }
      if ones.count == 1 { return try named(names[ones[0]]) }
      notices.add(
        ones.isEmpty ? "skipped rows without any class" : "skipped rows with several classes",
        "line \(reader.line), \(path)")
      return nil
    case .column(let column):
      guard var text = try reader.text(column) else { throw Self.noLabel }
      if columns.hasFloatNumbers { text = ManifestColumns.integer(text) ?? text }
      guard reader.isNested(column) || columns.hasNestedLabels else { return try named(text) }
      switch NestedLabel(text) {
      case .one(let label): return try named(label)
      case .none: throw Self.noLabel
      case .several(let labels):
        notices.add(
          "skipped rows with several labels", "line \(reader.line): \(labels.joined(separator: ", "))")
        return nil
      }
    }
  }

  /// A label by its name, if it is a number and classes have names.
  private func named(_ label: String) throws(RecordFault) -> String {
    guard let names = table.options.classNames, let number = Int(label), !names.contains(label) else {
      return label
    }
    guard names.indices.contains(number) else {
      throw RecordFault(
        what: "has the class \(number), but there are \(names.count) class names", remedy: "Name all classes")
    }
    return names[number]
  }

  private func location(_ path: String) throws(RecordFault) -> ImageLocation {
    // Features come from elsewhere; people look at the images where they are there, too.
    if table.options.featuresOnly, !isThere(path) { return .none }
    if let archive = table.archive {
      guard let location = archive.location(of: path) else {
        throw RecordFault(
          what: "names \(path), which is not in \(archive.path)",
          remedy: "Paths start from the archive's top; list it with tar -tf or unzip -l")
      }
      return location
    }
    if ImageAddress.isAddress(path) {
      guard let downloads = table.options.downloads else {
        throw RecordFault(what: "names an address, \(path)", remedy: "Say where downloads go, or name a file")
      }
      return .file(joined(downloads, ImageAddress.fileName(of: path)))
    }
    return .file(joined(table.root, path))
  }

  private func isThere(_ path: String) -> Bool {
    if let archive = table.archive { return archive[path] != nil }
    return !ImageAddress.isAddress(path)
      && FileManager.default.fileExists(atPath: joined(table.root, path))
  }
}

/// A path that is made of a row's texts: `images/{}.jpg`, where `{}` is the path's column, or `{split}/{id}.png`.
struct PathTemplate {
  private enum Piece {
    case text(String)
    case path
    case column(Int)
  }

  private let pieces: [Piece]

  /// The columns that it names, where it makes do without the path's.
  var ownColumns: [Int] {
    var own: [Int] = []
    for piece in pieces {
      switch piece {
      case .path: return []
      case .column(let column): own.append(column)
      case .text: break
      }
    }
    return own
  }

  /// - Throws: `DatasetProblems` if it names a column that is not there.
  init(_ template: String, columns: [String], file: String) throws(DatasetProblems) {
    var pieces: [Piece] = []
    var rest = template
    while let (before, after) = rest.parted(atFirst: UInt8(ascii: "{")),
      let (name, behind) = after.parted(atFirst: UInt8(ascii: "}"))
    {
      pieces.append(.text(before))
      if name.isEmpty {
        pieces.append(.path)
      } else if let column = columns.firstIndex(of: name) {
        pieces.append(.column(column))
      } else {
        throw DatasetProblems(
          DatasetProblem(
            file: file, what: "has no column \"\(name)\", which --path-template names",
            remedy:
              "Its columns are: \(columns.map { "\"\($0)\"" }.joined(separator: ", ")); {} is the path's"))
      }
      rest = behind
    }
    pieces.append(.text(rest))
    self.pieces = pieces
  }

  func filled(_ path: String, _ value: (Int) throws -> String?) rethrows -> String {
    try pieces.reduce(into: "") { text, piece in
      switch piece {
      case .text(let fixed): text += fixed
      case .path: text += path
      case .column(let column): text += try value(column) ?? ""
      }
    }
  }
}

/// A path below a folder; absolute paths stay.
func joined(_ folder: String, _ path: String) -> String {
  if path.utf8.first == UInt8(ascii: "/") { return path }
  var result = ""
  result.reserveCapacity(folder.utf8.count + path.utf8.count + 1)
  result.append(folder)
  result.append("/")
  result.append(path)
  return result
}
