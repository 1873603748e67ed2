/// An uncompressed tar file laid out as an image folder: `<class>/<name>.jpg` inside.
///
/// Nothing is unpacked: the samples point at the members' bytes.
public struct TarImages: DatasetFormat {
  public static let name = "tar"
  public static let summary = "an uncompressed tar file with a folder a class in it"

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
    let common = Self.commonFolder(index.names)
    let notices = NoticeLog()
    let relative = index.names.map { String($0.utf8.dropFirst(common.utf8.count)) ?? $0 }
    let top = Set(relative.compactMap { path in path.firstIndex(of: "/").map { String(path[..<$0]) } })
    let layout = ClassLayout(hasSplits: ImageFolder.hasSplits(top.sorted()), options: options)
    var count = 0
    for (name, path) in zip(index.names, relative) {
      guard ImageName.isImage(path), let member = index[name] else {
        notices.add("members that are no images passed over", name)
        continue
      }
      let location = ImageLocation.archiveMember(
        archive: source.absolutePath, offset: member.offset, length: member.length)
      guard let sample = layout.sample(path: path, location: location, source: source.absolutePath) else {
        notices.add("images outside a class's folder passed over", name)
        continue
      }
      count += 1
      try each(sample)
    }
    if count == 0 {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "holds no image in a class's folder",
          remedy: "Import the manifest that names its images, with --root \(source.path)"))
    }
    return DatasetSummary(samples: count, notices: notices.notices)
  }

  /// The folder, with its slash, that everything lies in beyond the class's own folder; tar files often have one.
  static func commonFolder(_ names: [String]) -> String {
    let images = names.filter { ImageName.isImage($0) }
    guard let first = images.first?.split(separator: "/").map(String.init), first.count > 2 else { return "" }
    let folder = first[0] + "/"
    // Two classes at least must lie below it, or it is the class.
    let below = Set(images.map { $0.split(separator: "/").dropFirst().first.map(String.init) ?? "" })
    return images.allSatisfy { $0.hasPrefix(folder) && $0.split(separator: "/").count > 2 } && below.count > 1
      ? folder : ""
  }
}
