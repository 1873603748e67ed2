extension WebVision: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try WebVisionWriter(output)
  }
}

/// Writes the images below `google/`, `flickr/` and `val_images_256/`, their lists, and `info/synsets.txt`.
final class WebVisionWriter: DatasetWriter {
  private let session: WritingSession
  private let numbers: [String: Int]
  private var lists: [String: OutputFile] = [:]

  var leftOut: Int { session.leftOut }

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output)
    numbers = Dictionary(output.classNames.enumerated().map { ($1, $0) }) { first, _ in first }
    try ClassList.write(session, WebVision.synsets, output.classNames)
  }

  func add(_ sample: Sample) throws {
    guard session.has(sample, splits: ["train", "test"], format: WebVision.name) else { return }
    try session.write(sample) {
      guard let number = numbers[sample.label] else { return }
      let origin = sample.attribute(WebVision.origin)
      let lists = WebVision.lists.filter { $0.split == sample.split }
      guard let list = lists.first(where: { $0.origin == origin }) ?? lists.first else { return }
      let folder = list.origin ?? list.folders[0]
      let inner =
        sample.path.startsExactly(with: folder + "/")
        ? String(sample.path.utf8.dropFirst(folder.utf8.count + 1)) : nil
      let wanted =
        "\(folder)/"
        + (inner.flatMap { Self.isPlain($0) ? $0 : nil }
          ?? "\(session.names.folder(sample.label))/\(SafeNames.file(sample))")
      try WritingSession.requireLine(wanted)
      let path = try session.images.put(sample, at: wanted)
      let listed = list.origin == nil ? String(path.utf8.dropFirst(folder.utf8.count + 1)) ?? path : path
      try self.list(list.file).write("\(listed) \(number)\n")
    }
  }

  private static func isPlain(_ path: String) -> Bool {
    ImageName.isImage(path) && path.fields(at: .slash).allSatisfy { !$0.isEmpty && $0 != ".." }
  }

  private func list(_ name: String) throws -> OutputFile {
    if let list = lists[name] { return list }
    let list = try OutputFile(session.place, name)
    lists[name] = list
    return list
  }

  func finish() throws -> [String] {
    try session.finish { for list in lists.values { try list.finish() } }
  }
}
