/// A zip file laid out as an image folder. Nothing is unpacked to the disk: images that are stored are read where they
/// lie, deflated ones unpacked in memory.
public struct ZipImages: DatasetFormat {
  public static let name = "zip"
  public static let summary = "a zip file with a folder a class in it"

  public static let classesAreFolders = true

  public static let takes: Set<DatasetOption> = DatasetOption.ofFolders

  private let source: DatasetSource
  private let options: DatasetOptions

  public init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  public static func detect(_ source: DatasetSource) -> Bool {
    source.head.starts(with: ZipIndex.signature) && !source.lowercasedName.hasSuffix(".npz")
  }

  public func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let index = try ZipIndex(path: source.absolutePath)
    if let refusal = index.refusal { throw DatasetProblems(refusal) }
    return try ArchiveImages(index: index, source: source, options: options).read(each)
  }
}
