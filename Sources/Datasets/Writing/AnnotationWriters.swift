import Files

extension COCO: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter { try COCOWriter(output) }
}

/// Writes `<split>/<class>/<name>` and `annotations/instances_<split>.json`, with one annotation per image.
final class COCOWriter: DatasetWriter {
  private let session: WritingSession
  private let numbers: [String: Int]
  private var parts: [String: Part] = [:]

  private struct Part {
    var file: OutputFile
    /// Of each image its category's number.
    var categories: [Int32] = []
  }

  init(_ output: DatasetOutput) throws {
    let unknown = output.splits.filter { SplitName.canonical($0) == nil }
    guard unknown.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(
          file: output.path, what: "cannot hold the splits \(unknown.joined(separator: ", "))",
          remedy:
            "Files of COCO know the splits train, val and test; export a manifest, webdataset or parquet"))
    }
    session = try WritingSession(output)
    numbers = Dictionary(output.classNames.enumerated().map { ($1, $0 + 1) }) { first, _ in first }
  }

  func add(_ sample: Sample) throws {
    try session.write(sample) {
      guard let number = numbers[sample.label] else { return }
      let name = "\(session.names.folder(sample.label))/\(SafeNames.file(sample))"
      let placed = try session.images.put(sample, at: "\(sample.split)/\(name)")
      var part = try parts[sample.split] ?? begin(sample.split)
      part.categories.append(Int32(number))
      let fileName = placed.parted(atFirst: .slash)?.after ?? placed
      try part.file.write(
        "\(part.categories.count == 1 ? "" : ",")\n{\"id\": \(part.categories.count), \"file_name\": \(JSONText.quoted(fileName))}"
      )
      parts[sample.split] = part
    }
  }

  private func begin(_ split: String) throws -> Part {
    let file = try OutputFile(session.place, "annotations/instances_\(split).json")
    let categories = session.output.classNames.map {
      "{\"id\": \(numbers[$0] ?? 0), \"name\": \(JSONText.quoted($0))}"
    }
    try file.write("{\"categories\": [\(categories.joined(separator: ", "))],\n\"images\": [")
    return Part(file: file)
  }

  func finish() throws -> [String] {
    try session.finish {
      for part in parts.values {
        try part.file.write("],\n\"annotations\": [")
        for (index, category) in part.categories.enumerated() {
          try part.file.write(
            "\(index == 0 ? "" : ",")\n{\"id\": \(index + 1), \"image_id\": \(index + 1), \"category_id\": \(category)}"
          )
        }
        try part.file.write("]}\n")
        try part.file.finish()
      }
    }
  }
}

extension LabelMe: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try LabelMeWriter(output)
  }
}

/// Writes `<class>/<name>.jpg` and beside it `<name>.json`, with the class as the one flag that is true; below `<split>/` if
/// there are several splits.
final class LabelMeWriter: DatasetWriter {
  private let session: WritingSession
  private let layout: FolderLayout

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output)
    layout = try FolderLayout(output, names: session.names)
  }

  func add(_ sample: Sample) throws {
    try session.write(sample) {
      let path = try session.images.put(sample, at: layout.path(sample))
      let name = path.parted(atLast: .slash)?.after ?? path
      let stem = path.parted(atLast: UInt8(ascii: "."))?.before ?? path
      let file = try OutputFile(session.place, "\(stem).json")
      try file.write(
        JSONText.object([
          ("version", "\"5.4.1\""), ("flags", "{\(JSONText.quoted(sample.label)): true}"), ("shapes", "[]"),
          ("imagePath", JSONText.quoted(name)), ("imageData", "null"),
        ]) + "\n")
      try file.finish()
    }
  }

  func finish() throws -> [String] { try session.finish() }
}

extension CleanNetTable: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try CleanNetTableWriter(output)
  }
}

/// Writes the release's table: key, class, verification (1, 0, or −1 for unknown) and features.
package final class CleanNetTableWriter: DatasetWriter {
  private let session: WritingSession
  private let file: OutputFile

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output)
    file = try OutputFile(session.place)
  }

  package func add(_ sample: Sample) throws {
    try session.write(sample) {
      throw RecordFault(what: "has no features, which this format stores", remedy: "Run: cleannet embed")
    }
  }

  /// Adds a sample with its features.
  package func add(_ sample: Sample, features: some Collection<Float>) throws {
    try session.write(sample) {
      try WritingSession.requireLine(sample.key, sample.label, without: [.tab])
      let verdict = sample.verification.map { $0 ? "1" : "0" } ?? "-1"
      let url =
        sample.attribute(CleanNetTable.url).map { $0 + "\t" }
        ?? (session.output.attributeNames.contains(CleanNetTable.url) ? "\t" : "")
      let numbers = features.map { $0.description }.joined(separator: ",")
      try file.write("\(sample.key)\t\(url)\(sample.label)\t\(verdict)\t\(numbers)\n")
    }
  }

  package func finish() throws -> [String] { try session.finish { try file.finish() } }
}
