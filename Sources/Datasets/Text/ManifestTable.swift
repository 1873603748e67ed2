import Foundation

/// Turns the records of a manifest into samples. Formats that keep a table beside their images share it.
struct ManifestTable {
  enum Syntax: Sendable {
    /// `nil` guesses the delimiter from the first line.
    case delimited(UInt8?)
    case jsonLines
  }

  var path: String
  var syntax: Syntax
  var options: DatasetOptions
  /// The folder that relative paths start from.
  var root: String
  /// Put before the path of every sample, such as `train/`.
  var prefix = ""
  /// The split of rows that name none.
  var defaultSplit = "train"
  /// Where the images lie in a tar or zip file.
  var archive: (any ArchiveIndex)?
  /// The label of all rows, of a list without any.
  var label: String?

  /// Reads the rows. Bad ones go to `log`; the others to `each`.
  func read(_ log: ProblemLog, _ each: (Sample) throws -> Void) throws -> Int {
    let reader = try reader()
    guard !reader.columns.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "is empty", remedy: "Write a row a sample, with its path and its label"))
    }
    var columns = try columns(reader)
    var known = reader.columns.count
    var probe = RootProbe(root: root, active: !options.featuresOnly && archive == nil)
    var count = 0
    while try reader.next() {
      if let fault = reader.fault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
        continue
      }
      // JSON lines may bring a column that the first did not have.
      if reader.columns.count != known {
        columns = try self.columns(reader)
        known = reader.columns.count
      }
      let sample: Sample
      do {
        sample = try self.sample(reader, columns)
      } catch let fault as RecordFault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
        continue
      }
      try log.adding { () throws(DatasetProblems) in try probe.see(sample, file: path) }
      count += 1
      try each(sample)
    }
    try log.adding { () throws(DatasetProblems) in try probe.finish(file: path) }
    return count
  }

  /// Opens the file and reads its first record.
  func reader() throws -> any RecordReader {
    switch syntax {
    case .delimited(let delimiter):
      try DelimitedReader(path: path, delimiter: delimiter) {
        ManifestColumns.looksLikeHeader($0, options: options)
      }
    case .jsonLines:
      try JSONLinesReader(path: path)
    }
  }

  private func columns(_ reader: any RecordReader) throws(DatasetProblems) -> ManifestColumns {
    let names = reader.columns
    // Without a header the columns are only numbers: the first is the path, the second the label.
    guard case .delimited = syntax, names == names.indices.map({ String($0 + 1) }) else {
      return try ManifestColumns(names, file: path, options: options)
    }
    var options = options
    options.pathColumn = options.pathColumn ?? "1"
    options.labelColumn = options.labelColumn ?? (names.count > 1 ? "2" : nil)
    return try ManifestColumns(names, file: path, options: options)
  }

  private func sample(_ reader: any RecordReader, _ columns: ManifestColumns) throws -> Sample {
    var shownPath: String?
    if let column = columns.path { shownPath = try reader.text(column) }
    let key = try columns.key.flatMap { try reader.text($0) }
    guard let place = shownPath ?? (options.featuresOnly ? key : nil) else {
      throw RecordFault(what: "has no path", remedy: "Fill the path in, or remove the row")
    }
    guard let written = try label ?? reader.text(columns.label) else {
      throw RecordFault(what: "has no label", remedy: "Fill the label in, or remove the row")
    }
    let label = try named(written)
    guard !place.utf8.contains(0) else {
      throw RecordFault(what: "has a path with a zero byte", remedy: "Correct the path")
    }
    var verification: Bool?
    if let column = columns.verification, let text = try reader.text(column) {
      verification = try Self.verification(text)
    }
    let split = try options.split ?? columns.split.flatMap { try reader.text($0) } ?? defaultSplit
    var attributes: [SampleAttribute] = []
    for column in reader.columns.indices where columns.role(column) == .attribute {
      if let value = try reader.text(column) {
        attributes.append(SampleAttribute(name: reader.columns[column], value: value))
      }
    }
    let path = prefix.isEmpty ? place : prefix + place
    return Sample(
      key: key ?? path, path: path, location: try location(place), label: label, split: split,
      verification: verification, attributes: attributes, source: self.path, line: reader.line)
  }

  /// A label by its name, if it is a number and classes have names.
  private func named(_ label: String) throws(RecordFault) -> String {
    guard let names = options.classNames, let number = Int(label), !names.contains(label) else {
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
    if options.featuresOnly, !isThere(path) { return .none }
    if let archive {
      guard let member = archive[path] else {
        throw RecordFault(
          what: "names \(path), which is not in \(archive.path)",
          remedy: "Paths start from the archive's top; list it with tar -tf or unzip -l")
      }
      return member.location(in: archive.path)
    }
    if ImageAddress.isAddress(path) {
      guard let downloads = options.downloads else {
        throw RecordFault(what: "names an address, \(path)", remedy: "Say where downloads go, or name a file")
      }
      return .file(joined(downloads, ImageAddress.fileName(of: path)))
    }
    return .file(joined(root, path))
  }

  private func isThere(_ path: String) -> Bool {
    if let archive { return archive[path] != nil }
    return !ImageAddress.isAddress(path) && FileManager.default.fileExists(atPath: joined(root, path))
  }

  static func verification(_ text: String) throws(RecordFault) -> Bool {
    switch text {
    case "1", "true", "True": true
    case "0", "false", "False": false
    default:
      throw RecordFault(
        what: "has the verification \"\(text)\"",
        remedy: "Write 1 (label right), 0 (wrong) or nothing (unknown)")
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
