/// The images of an archive that is laid out as an image folder.
struct ArchiveImages {
  var index: any ArchiveIndex
  var source: DatasetSource
  var options: DatasetOptions

  func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let common = Self.commonFolder(index.names)
    let notices = NoticeLog()
    let relative = index.names.map { String($0.utf8.dropFirst(common.utf8.count)) ?? $0 }
    let top = Set(relative.compactMap { path in path.parted(atFirst: .slash)?.before })
    let layout = ClassLayout(hasSplits: ImageFolder.hasSplits(top.sorted()), options: options)
    var count = 0
    for (name, path) in zip(index.names, relative) {
      guard ImageName.isImage(path), let member = index[name] else {
        notices.add("members that are no images passed over", name)
        continue
      }
      let location = member.location(in: source.absolutePath)
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
    guard let first = images.first?.fields(at: .slash), first.count > 2,
      !ImageFolder.splitNames.contains(first[0].lowercased())
    else { return "" }
    let folder = first[0] + "/"
    // Two classes at least must lie below it, or it is the class.
    var below: Set<String> = []
    for image in images {
      let parts = image.utf8.split(separator: .slash, maxSplits: 2)
      guard parts.count > 2, image.startsExactly(with: folder) else { return "" }
      below.insert(String(decoding: parts[1], as: UTF8.self))
    }
    return below.count > 1 ? folder : ""
  }
}
