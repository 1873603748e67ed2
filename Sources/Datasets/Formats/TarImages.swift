/// An uncompressed tar file laid out as an image folder: `<class>/<name>.jpg` inside.
///
/// Nothing is unpacked: the samples point at the members' bytes.
package struct TarImages: DatasetFormat {
  package static let name = "tar"
  package static let summary = "an uncompressed tar file with one folder per class"

  package static let classesAreFolders = true

  package static let takes: Set<DatasetOption> = DatasetOption.ofFolders

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    !source.isFolder && TarIndex.looksLikeTar(source.head)
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    if let problem = source.refusal { throw DatasetProblems(problem) }
    let index = try TarIndex(path: source.absolutePath)
    return try ArchiveImages(index: index, source: source, options: options).read(each)
  }
}
