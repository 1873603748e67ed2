import Files

extension Manifest: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try ManifestWriter(output)
  }
}

/// Writes a table that names the images where they are, or by their addresses: CSV, TSV or JSON lines, by the file's
/// name.
final class ManifestWriter: DatasetWriter {
  private let namesAddresses: Bool
  /// The column that names the image.
  private let place: String
  private let session: WritingSession
  private let file: OutputFile
  private let delimiter: Character?
  private let attributes: [String: Int]

  init(_ output: DatasetOutput, addresses: Bool = false) throws {
    namesAddresses = addresses
    place = addresses ? URLList.column : "path"
    session = try WritingSession(output)
    file = try OutputFile(session.place)
    let name = output.path.lowercased()
    let isLines = name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson")
    delimiter = isLines ? nil : name.hasSuffix(".tsv") ? "\t" : ","
    attributes = Dictionary(output.attributeNames.enumerated().map { ($1, $0) }) { first, _ in first }
    if let delimiter {
      try file.write(
        DelimitedText.record(columns + output.attributeNames.map(column), delimiter: delimiter))
    }
  }

  private var columns: [String] { ["key", place, "label", "verification", "split"] }

  /// An attribute's column. Those named like one of the others are told apart.
  private func column(_ attribute: String) -> String {
    let taken = columns + (namesAddresses ? ManifestColumns.pathNames + URLList.columnNames : [])
    return taken.contains(attribute.lowercased()) ? attribute + "_attribute" : attribute
  }

  func add(_ sample: Sample) throws {
    try session.write(sample) {
      var sample = sample
      if namesAddresses {
        guard ImageAddress.isAddress(sample.path) else {
          throw RecordFault(what: "has no address", remedy: "Export it as a manifest, or with its images")
        }
      } else if case .file(let path) = sample.location {
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
          SampleAttribute(name: column($0.name), value: $0.value)
        }
        try file.write(JSONText.object(JSONText.members(sample, names: (place, "key"))) + "\n")
      }
    }
  }

  func finish() throws -> [String] { try session.finish { try file.finish() } }
}
