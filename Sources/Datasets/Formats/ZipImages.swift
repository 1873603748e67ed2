import Files

/// A zip file laid out as an image folder. Nothing is unpacked to the disk: images that are stored are read where they
/// lie, deflated ones unpacked in memory.
package struct ZipImages: DatasetFormat {
  package static let name = "zip"
  package static let summary = "a zip file with one folder per class"

  package static let classesAreFolders = true

  package static let takes: Set<DatasetOption> = DatasetOption.ofFolders

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    source.head.starts(with: zipSignature) && !source.lowercasedName.hasSuffix(".npz")
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let index = try ZipIndex(path: source.absolutePath)
    if let refusal = index.refusal { throw DatasetProblems(refusal) }
    return try ArchiveImages(index: index, source: source, options: options).read(each)
  }
}
