/// The images of an archive that is laid out as an image folder.
struct ArchiveImages {
  var index: any ArchiveIndex
  var source: DatasetSource
  var options: DatasetOptions

  func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let notices = NoticeLog()
    for notice in index.notices { notices.add(line: notice) }
    let names = index.names.filter { name in
      guard JunkName.isBelowJunk(name) else { return true }
      notices.add("skipped hidden members and members of operating systems", name)
      return false
    }
    let images = names.lazy.filter { ImageName.isImage($0) }
    let common = Self.commonFolder(images)
    func relative(_ name: String) -> String { String(name.utf8.dropFirst(common.utf8.count)) ?? name }
    let layout = try ClassLayout(options: options, source: source.path) {
      FolderTree(paths: images.map(relative))
    }
    var count = 0
    for name in names {
      guard ImageName.isImage(name), let member = index[name] else {
        notices.add("skipped members that are not images", name)
        continue
      }
      let location = member.location(in: source.absolutePath)
      guard let sample = layout.sample(path: relative(name), location: location, source: source.absolutePath)
      else {
        notices.add("skipped images outside the classes' folders", name)
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
    var summary = DatasetSummary(samples: count, notices: layout.notices + notices.notices)
    summary.guesses = layout.guesses
    return summary
  }

  /// The folder, with its slash, that everything lies in, if there are folders below it that may be classes; archives
  /// often have one. Keys leave it out.
  static func commonFolder(_ images: some Sequence<String>) -> String {
    var first: [UInt8]?
    var below: Set<ByteName> = []
    for image in images {
      let parts = image.utf8.split(separator: .slash, maxSplits: 2)
      guard parts.count > 2 else { return "" }
      if let first {
        if !first.elementsEqual(parts[0]) { return "" }
      } else {
        first = Array(parts[0])
      }
      if below.count < 2 { below.insert(ByteName(String(decoding: parts[1], as: UTF8.self))) }
    }
    guard let first, below.count > 1 else { return "" }
    let name = String(decoding: first, as: UTF8.self)
    return SplitName.canonical(name) == nil ? name + "/" : ""
  }
}
