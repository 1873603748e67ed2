extension ImageFolder: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try ImageFolderWriter(output)
  }
}

/// Writes `<class>/<name>`, below `<split>/` if there are several splits.
final class ImageFolderWriter: DatasetWriter {
  private let session: WritingSession
  private let layout: FolderLayout

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output, foldersAreClasses: true)
    layout = try FolderLayout(output, names: session.names)
  }

  func add(_ sample: Sample) throws {
    try session.write(sample) { _ = try session.images.put(sample, at: layout.path(sample)) }
  }

  func finish() throws -> [String] { try session.finish() }
}

/// Where images go in a layout of folders.
struct FolderLayout {
  private let hasSplits: Bool
  private let names: SafeNames

  /// - Throws: `DatasetProblems` if a split's name would be taken for a class.
  init(_ output: DatasetOutput, names: SafeNames) throws(DatasetProblems) {
    self.names = names
    // Classes that are named like splits might be taken for them.
    hasSplits =
      output.splits.contains { $0 != "train" }
      || output.classNames.contains { SplitName.canonical($0) != nil }
    let unknown = output.splits.filter { SplitName.canonical($0) == nil }
    guard !hasSplits || unknown.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(
          file: output.path, what: "cannot hold the splits \(unknown.joined(separator: ", "))",
          remedy:
            "Folders know the splits train, val and test; export a manifest, hf-image-folder or webdataset"))
    }
  }

  func path(_ sample: Sample) -> String {
    // No folders below the class: what they mean would have to be guessed when it is read.
    (hasSplits ? sample.split + "/" : "") + names.folder(sample.label) + "/"
      + SafeNames.file(sample).fields(at: .slash).joined(separator: "_")
  }
}
