import Files

extension HuggingFaceFolder: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try HuggingFaceWriter(output)
  }
}

/// Writes one folder per split, each with its images in one folder per class, and a `metadata.jsonl`.
final class HuggingFaceWriter: DatasetWriter {
  private let session: WritingSession
  private var tables: [String: OutputFile] = [:]

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output)
    let unknown = output.splits.filter { SplitName.canonical($0) == nil }
    guard unknown.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(
          file: output.path, what: "cannot hold the splits \(unknown.joined(separator: ", "))",
          remedy: "Folders know the splits train, val and test; export a manifest or webdataset"))
    }
  }

  func add(_ sample: Sample) throws {
    try session.write(sample) {
      let wanted = "\(sample.split)/\(session.names.folder(sample.label))/\(SafeNames.file(sample))"
      var written = sample
      let placed = try session.images.put(sample, at: wanted)
      written.path = placed.parted(atFirst: .slash)?.after ?? placed
      try table(sample.split).write(
        JSONText.object(JSONText.members(written, names: ("file_name", "key"))) + "\n")
    }
  }

  private func table(_ split: String) throws -> OutputFile {
    if let table = tables[split] { return table }
    let table = try OutputFile(session.place, "\(split)/metadata.jsonl")
    tables[split] = table
    return table
  }

  func finish() throws -> [String] {
    try session.finish { for table in tables.values { try table.finish() } }
  }
}
