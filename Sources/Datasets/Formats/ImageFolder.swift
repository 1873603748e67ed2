/// `<root>/<class>/<anything>.jpg`, also nested below the class: the class is the first folder.
///
/// If all folders at the top are named like splits (`train`, `val`, `test`), the class is the folder below.
public struct ImageFolder: DatasetFormat {
  public static let name = "image-folder"
  public static let summary =
    "a folder a class, with images in it (also train/, val/, test/ above the classes)"

  /// Names of top folders that are splits rather than classes.
  static let splitNames: Set<String> = [
    "train", "training", "val", "valid", "validation", "dev", "test", "testing",
  ]

  private let source: DatasetSource
  private let options: DatasetOptions

  public init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  public static func detect(_ source: DatasetSource) -> Bool {
    source.isFolder
  }

  /// Whether all of the folders at the top are splits. A single one could be a class, but `train` is none.
  static func hasSplits(_ folders: [String]) -> Bool {
    !folders.isEmpty && folders.allSatisfy { splitNames.contains($0.lowercased()) }
  }

  public func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let root = source.absolutePath
    let folders = source.names().filter { DatasetSource.isFolder("\(root)/\($0)") }
    let layout = ClassLayout(hasSplits: Self.hasSplits(folders), options: options)
    let log = ProblemLog()
    let notices = NoticeLog()
    var count = 0
    let walk = FolderWalk(root: root, branchDepth: layout.hasSplits ? 2 : 1, log: log, notices: notices)
    try walk.files { path, isImage in
      guard isImage else {
        notices.add("files that are no images passed over", path)
        return
      }
      let file = joined(root, path)
      guard let sample = layout.sample(path: path, location: .file(file), source: file) else {
        notices.add("images outside a class's folder passed over", path)
        return
      }
      count += 1
      try each(sample)
    }
    try log.throwIfAny()
    if count == 0 {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "holds no image in a class's folder",
          remedy: "Lay images out as <class>/<name>.jpg, or import a manifest"))
    }
    return DatasetSummary(samples: count, notices: notices.notices)
  }
}

/// Reads split and class from the folders of a path.
struct ClassLayout {
  var hasSplits: Bool
  var options: DatasetOptions

  /// The sample of an image, or `nil` if it lies above the classes' folders.
  func sample(path: String, location: ImageLocation, source: String, line: Int = 0) -> Sample? {
    let slash = UInt8(ascii: "/")
    var rest = path.utf8[...]
    var split = "train"
    if hasSplits {
      guard let end = rest.firstIndex(of: slash) else { return nil }
      split = String(path[..<end])
      rest = rest[rest.index(after: end)...]
    }
    guard let end = rest.firstIndex(of: slash) else { return nil }
    let label = String(path[rest.startIndex..<end])
    return Sample(
      key: path, path: path, location: location, label: label, split: options.split ?? split, source: source,
      line: line)
  }
}
