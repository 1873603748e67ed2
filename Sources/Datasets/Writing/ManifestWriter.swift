extension Manifest: WritableFormat {
  public static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try ManifestWriter(output)
  }
}

/// Writes a table that names the images where they are: CSV, TSV or JSON lines, by the file's name.
final class ManifestWriter: DatasetWriter {
  private static let columns = ["key", "path", "label", "verification", "split"]

  private let session: WritingSession
  private let file: OutputFile
  private let delimiter: Character?
  private let attributes: [String: Int]

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output)
    file = try OutputFile(session.place)
    let name = output.path.lowercased()
    let isLines = name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson")
    delimiter = isLines ? nil : name.hasSuffix(".tsv") ? "\t" : ","
    attributes = Dictionary(output.attributeNames.enumerated().map { ($1, $0) }) { first, _ in first }
    if let delimiter {
      try file.write(
        DelimitedText.record(Self.columns + output.attributeNames.map(Self.column), delimiter: delimiter))
    }
  }

  /// An attribute's column. Those named like one of the others are told apart.
  private static func column(_ attribute: String) -> String {
    columns.contains(attribute.lowercased()) ? attribute + "_attribute" : attribute
  }

  func add(_ sample: Sample) throws {
    try session.write(sample) {
      var sample = sample
      if case .file(let path) = sample.location {
        sample.path = path
      } else if sample.location != .none {
        session.notices.add(
          "images that lie in an archive: read the manifest with --root ARCHIVE", sample.key)
      }
      if let delimiter {
        var fields = [
          sample.key, sample.path, sample.label, sample.verification.map { $0 ? "1" : "0" } ?? "",
          sample.split,
        ]
        let first = fields.count
        fields += Array(repeating: "", count: attributes.count)
        for attribute in sample.attributes {
          if let place = attributes[attribute.name] { fields[first + place] = attribute.value }
        }
        try file.write(DelimitedText.record(fields, delimiter: delimiter))
      } else {
        sample.attributes = sample.attributes.map {
          SampleAttribute(name: Self.column($0.name), value: $0.value)
        }
        try file.write(JSONText.object(JSONText.members(sample)) + "\n")
      }
    }
  }

  func finish() throws -> [String] { try session.finish { try file.finish() } }
}
