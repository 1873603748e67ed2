import Files
import Foundation

/// COCO's JSON, taken as classification: an image whose annotations all name one category has its label.
///
/// Images without an annotation, or with several categories, are passed over and counted. Memory holds the images'
/// names and categories. A file whose name holds `val` or `test`, such as `instances_val2017.json`, is that split. Of a
/// folder all of `annotations/instances_*.json` are read, and images are named from the folder.
package struct COCO: DatasetFormat {
  package static let name = "coco"
  package static let summary = "COCO's JSON, of images whose annotations name one category"

  package static let takes: Set<DatasetOption> = [.root]

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  /// The names of COCO's parts; one of the first of them must stand in a file's first bytes.
  private static let parts = ["\"images\"", "\"annotations\"", "\"categories\"", "\"licenses\"", "\"info\""]

  package static func detect(_ source: DatasetSource) -> Bool {
    guard !source.isFolder else { return !files(source).isEmpty }
    let text = String(decoding: source.head, as: UTF8.self)
    return source.lowercasedName.hasSuffix(".json")
      && text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }.first == "{"
      && parts.contains { text.contains($0) } && !text.contains("\"shapes\"")
      && !text.contains("\"samples\"") && !isTable(text)
  }

  /// Whether the first object of a list names both an image and its label, so that the list is a table.
  private static func isTable(_ text: String) -> Bool {
    guard let list = text.range(of: "[{") ?? text.range(of: "[\\s*{", options: .regularExpression),
      let end = text[list.upperBound...].firstIndex(of: "}")
    else { return false }
    let names = text[list.upperBound..<end].split(separator: "\"").map(String.init)
    let labels = ManifestColumns.labelNames.filter { $0 != "category_id" }
    let paths = ManifestColumns.pathNames.filter { !$0.hasSuffix("_id") }
    return names.contains { labels.contains($0) } && names.contains { paths.contains($0) }
      && !names.contains("image_id") && !names.contains("category_id")
  }

  /// How Roboflow names the file beside the images.
  private static let roboflow = "_annotations.coco.json"

  /// The files of a folder that name images' categories.
  private static func files(_ source: DatasetSource) -> [String] {
    if source.has(roboflow) { return ["\(source.absolutePath)/\(roboflow)"] }
    // Roboflow's folders of splits, each with such a file.
    let parts = source.isFolder ? source.names(limit: 256).filter { SplitName.canonical($0) != nil } : []
    let parted = parts.filter { source.has("\($0)/\(roboflow)") }.map {
      "\(source.absolutePath)/\($0)/\(roboflow)"
    }
    if !parted.isEmpty { return parted }
    let folder = "\(source.absolutePath)/annotations"
    let names = (try? DatasetSource(path: folder).names()) ?? []
    return names.filter { $0.hasPrefix("instances_") && $0.hasSuffix(".json") }.map { "\(folder)/\($0)" }
  }

  private struct Image {
    /// As text: a number, a UUID.
    var id: String
    var fileName: String
    /// The categories of its annotations; two are as good as many.
    var categories: [String] = []
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let files = source.isFolder ? Self.files(source) : [source.absolutePath]
    guard !files.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "holds no annotations/instances_*.json", remedy: "Name the JSON file"))
    }
    let log = ProblemLog()
    let notices = NoticeLog()
    var summary = DatasetSummary()
    for file in files { summary.samples += try read(file, log, notices, each) }
    summary.notices = notices.notices
    return summary
  }

  /// Reads one file, and returns the number of its samples.
  private func read(
    _ path: String, _ log: ProblemLog, _ notices: NoticeLog, _ each: (Sample) throws -> Void
  ) throws -> Int {
    let text = try MappedText(path: path)
    var names: [String: String] = [:]
    var images: [Image] = []
    var labels: [(image: String, category: String)] = []
    do throws(JSONScanner.Fault) {
      try text.withBytes { bytes throws(JSONScanner.Fault) in
        var scanner = JSONScanner(bytes)
        try scanner.object { (name, scanner) throws(JSONScanner.Fault) in
          switch name {
          case "images":
            try Self.objects(&scanner, ["id", "file_name"]) { values in
              guard let id = values[0].map(Self.id), let name = values[1] else { return false }
              images.append(Image(id: id, fileName: name))
              return true
            } bad: {
              log.add(path, "image \($0 + 1) has no id or no file_name", "Write both")
            }
          case "annotations":
            try Self.objects(&scanner, ["image_id", "category_id"]) { values in
              guard let image = values[0].map(Self.id), let category = values[1].map(Self.id) else {
                return false
              }
              labels.append((image, category))
              return true
            } bad: {
              log.add(path, "annotation \($0 + 1) has no image_id or no category_id", "Write both")
            }
          case "categories":
            try Self.objects(&scanner, ["id", "name"]) { values in
              guard let id = values[0].map(Self.id), let name = values[1] else { return false }
              names[id] = name
              return true
            } bad: {
              log.add(path, "category \($0 + 1) has no id or no name", "Write both")
            }
          default: try scanner.skip()
          }
        }
      }
    } catch {
      throw DatasetProblems(
        DatasetProblem(
          file: path, line: text.line(of: error.offset),
          what: "is not JSON: \(error.what) at byte \(error.offset + 1)",
          remedy: "The file may have been cut short; get it again"))
    }
    assign(labels, to: &images, names, path, log)
    try log.throwIfAny()
    let root = try imageRoot(path, first: images.first?.fileName)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().lastPathComponent
    let isParted = path.hasSuffix("/" + Self.roboflow)
    let split =
      options.split ?? (isParted ? SplitName.canonical(folder) ?? SplitName.train : Self.split(path))
    // Parts of a folder may name their images alike.
    let top = source.absolutePath + "/"
    let prefix =
      source.isFolder && root.utf8.starts(with: top.utf8)
      ? (String(root.utf8.dropFirst(top.utf8.count)) ?? "") + "/" : ""
    var probe = RootProbe(root: root, active: !options.featuresOnly)
    var count = 0
    for image in images {
      guard image.categories.count == 1, let label = names[image.categories[0]] else {
        notices.add(
          image.categories.count > 1
            ? "skipped images with annotations of several categories"
            : "skipped images without annotation",
          image.fileName)
        continue
      }
      let sample = Sample(
        key: prefix + image.fileName, path: prefix + image.fileName,
        location: .file(joined(root, image.fileName)),
        label: label,
        split: split, source: path)
      try probe.see(sample, file: path)
      count += 1
      try each(sample)
    }
    try probe.finish(file: path)
    return count
  }

  /// Passes the wanted members of each object of a list to `each`, which returns whether they are good.
  private static func objects(
    _ scanner: inout JSONScanner, _ wanted: [String], _ each: ([String?]) -> Bool, bad: (Int) -> Void
  ) throws(JSONScanner.Fault) {
    var index = 0
    try scanner.elements { scanner throws(JSONScanner.Fault) in
      var values = [String?](repeating: nil, count: wanted.count)
      try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
        if let place = wanted.firstIndex(of: name) {
          values[place] = try scanner.valueText()
        } else {
          try scanner.skip()
        }
      }
      if !each(values) { bad(index) }
      index += 1
    }
  }

  /// An id in one form, since some write 1, some 1.0 and some "1".
  private static func id(_ text: String) -> String { ManifestColumns.integer(text) ?? text }

  private func assign(
    _ labels: [(image: String, category: String)], to images: inout [Image], _ names: [String: String],
    _ path: String,
    _ log: ProblemLog
  ) {
    var places: [String: Int] = [:]
    places.reserveCapacity(images.count)
    for (index, image) in images.enumerated() {
      if places.updateValue(index, forKey: image.id) != nil {
        log.add(path, "the image id \(image.id) occurs twice", "Number images uniquely")
      }
    }
    for (index, label) in labels.enumerated() {
      guard let place = places[label.image], names[label.category] != nil else {
        log.add(
          path,
          "annotation \(index + 1) names the image \(label.image) and the category \(label.category), which are "
            + "not both there", "Remove it, or add what it names")
        continue
      }
      let known = images[place].categories
      if known.count < 2, !known.contains(label.category) { images[place].categories.append(label.category) }
    }
  }

  /// Where paths start: `root`, else the first usual place that holds the first image.
  private func imageRoot(_ path: String, first: String?) throws -> String {
    if options.root != nil { return try options.imageRoot(of: source) }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let upper = URL(fileURLWithPath: folder).deletingLastPathComponent().path
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    let part = name.parted(atLast: UInt8(ascii: "_"))?.after ?? name
    let places = [folder, "\(folder)/images", "\(upper)/images", "\(upper)/\(part)", upper]
    return places.first { access(joined($0, first ?? ""), F_OK) == 0 } ?? folder
  }

  private static func split(_ path: String) -> String {
    let words = URL(fileURLWithPath: path).lastPathComponent.split { !$0.isLetter }
    let splits = words.compactMap { SplitName.canonical(String($0)) }
    return splits.first { $0 != SplitName.train } ?? SplitName.train
  }
}
