/// An uncompressed tar file laid out as an image folder: `<class>/<name>.jpg` inside.
///
/// Nothing is unpacked: the samples point at the members' bytes.
public struct TarImages: DatasetFormat {
  public static let name = "tar"
  public static let summary = "an uncompressed tar file with a folder a class in it"

  public static let classesAreFolders = true

  public static let takes: Set<DatasetOption> = DatasetOption.ofFolders

  private let source: DatasetSource
  private let options: DatasetOptions

  public init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  public static func detect(_ source: DatasetSource) -> Bool {
    !source.isFolder && TarIndex.looksLikeTar(source.head)
  }

  public func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    if let problem = source.refusal { throw DatasetProblems(problem) }
    let index = try TarIndex(path: source.absolutePath)
    return try ArchiveImages(index: index, source: source, options: options).read(each)
  }
}
