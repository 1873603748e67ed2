import Foundation

/// Turns the records of a manifest into samples. Formats that keep a table beside their images share it.
struct ManifestTable {
  enum Syntax: Sendable {
    /// `nil` guesses the delimiter from the first line.
    case delimited(UInt8?)
    case jsonLines
  }

  /// After so many rows without a single image, the root is taken to be wrong.
  static let rowsProbed = 32

  var path: String
  var syntax: Syntax
  var options: DatasetOptions
  /// The folder that relative paths start from.
  var root: String
  /// Put before the path of every sample, such as `train/`.
  var prefix = ""
  /// The split of rows that name none.
  var defaultSplit = "train"
  /// Where the images lie in a tar file.
  var archive: TarIndex?

  /// Reads the rows. Bad ones go to `log`; the others to `each`.
  func read(_ log: ProblemLog, _ each: (Sample) throws -> Void) throws -> Int {
    let reader: any RecordReader =
      switch syntax {
      case .delimited(let delimiter):
        try DelimitedReader(path: path, delimiter: delimiter) {
          ManifestColumns.looksLikeHeader($0, options: options)
        }
      case .jsonLines:
        try JSONLinesReader(path: path)
      }
    guard !reader.columns.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "is empty", remedy: "Write a row a sample, with its path and its label"))
    }
    let columns = try columns(reader)
    var probe = RootProbe(root: root, active: !options.featuresOnly && archive == nil)
    var count = 0
    while try reader.next() {
      if let fault = reader.fault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
        continue
      }
      do {
        let sample = try sample(reader, columns)
        try probe.see(sample, file: path)
        count += 1
        try each(sample)
      } catch let fault as RecordFault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
      }
    }
    try probe.finish(file: path)
    return count
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
    guard let written = shownPath ?? (options.featuresOnly ? key : nil) else {
      throw RecordFault(what: "has no path", remedy: "Fill the path in, or remove the row")
    }
    guard let label = try reader.text(columns.label) else {
      throw RecordFault(what: "has no label", remedy: "Fill the label in, or remove the row")
    }
    guard !written.utf8.contains(0) else {
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
    let path = prefix.isEmpty ? written : prefix + written
    return Sample(
      key: key ?? path, path: path, location: try location(written), label: label, split: split,
      verification: verification, attributes: attributes, source: self.path, line: reader.line)
  }

  private func location(_ path: String) throws(RecordFault) -> ImageLocation {
    if options.featuresOnly { return .none }
    if let archive {
      guard let member = archive[path] else {
        throw RecordFault(
          what: "names \(path), which is not in \(archive.path)",
          remedy: "Paths start from the tar file's top; see tar -tf")
      }
      return .archiveMember(archive: archive.path, offset: member.offset, length: member.length)
    }
    if path.utf8.starts(with: "http://".utf8) || path.utf8.starts(with: "https://".utf8) {
      throw RecordFault(what: "names an address, \(path)", remedy: "Download the images and name their files")
    }
    return .file(joined(root, path))
  }

  private static func verification(_ text: String) throws(RecordFault) -> Bool {
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

/// Notices a wrong root early: when of the first images not one is there.
private struct RootProbe {
  var root: String
  var active: Bool
  var seen = 0
  var firstMissing: Sample?

  init(root: String, active: Bool) {
    self.root = root
    self.active = active
  }

  mutating func see(_ sample: Sample, file: String) throws(DatasetProblems) {
    guard active, case .file(let path) = sample.location else { return }
    seen += 1
    if access(path, F_OK) == 0 {
      active = false
    } else if firstMissing == nil {
      firstMissing = sample
    }
    if active, seen == ManifestTable.rowsProbed { try finish(file: file) }
  }

  func finish(file: String) throws(DatasetProblems) {
    guard active, let firstMissing, case .file(let path) = firstMissing.location else { return }
    throw DatasetProblems(
      DatasetProblem(
        file: file, line: firstMissing.line,
        what: seen == 1
          ? "its image does not exist: \(path)" : "none of the first \(seen) images exists, such as \(path)",
        remedy: "Paths start from \(root); name another folder, or a tar file, with --root"))
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
