import Foundation

/// WebVision: `info/train_filelist_google.txt`, `info/train_filelist_flickr.txt` and `info/val_filelist.txt` with one
/// line `<path> <number>` per image, and `info/synsets.txt`, whose lines name the classes.
///
/// The images of `val_filelist.txt`, which people have labelled, are the split `test`. The attribute `origin` tells
/// which list a training image comes from.
package struct WebVision: DatasetFormat {
  package static let name = "webvision"
  package static let summary =
    "WebVision: info/train_filelist_google.txt, …flickr.txt, val_filelist.txt, synsets.txt"

  struct List: Sendable {
    var file: String
    var split: String
    var origin: String?
    /// Folders that its paths may start from.
    var folders: [String]
  }

  static let lists = [
    List(
      file: "info/train_filelist_google.txt", split: "train", origin: "google",
      folders: ["", "resized_images", "google"]),
    List(
      file: "info/train_filelist_flickr.txt", split: "train", origin: "flickr",
      folders: ["", "resized_images", "flickr"]),
    List(file: "info/val_filelist.txt", split: "test", folders: ["val_images_256", "val_images", "val", ""]),
  ]
  static let synsets = "info/synsets.txt"
  static let origin = "origin"

  package static let takes: Set<DatasetOption> = [.root]

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    source.isFolder && lists.contains { source.has($0.file) }
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let log = ProblemLog()
    let root = try options.imageRoot(of: source)
    let names =
      try options.classNames
      ?? (source.has(Self.synsets)
        ? LineReader.names(path: "\(source.absolutePath)/\(Self.synsets)", log: log) : nil)
    var summary = DatasetSummary()
    for list in Self.lists where source.has(list.file) {
      let lines = try LineReader(path: "\(source.absolutePath)/\(list.file)", log: log)
      var folder: String?
      var probe = RootProbe(root: root, active: !options.featuresOnly)
      let attributes = list.origin.map { [SampleAttribute(name: Self.origin, value: $0)] } ?? []
      while let (written, number) = try lines.numbered(below: names?.count, log: log) {
        let prefix =
          folder ?? list.folders.map { $0.isEmpty ? "" : $0 + "/" }.first {
            access("\(root)/\($0)\(written)", F_OK) == 0
          } ?? ""
        folder = prefix
        let path = prefix + written
        let sample = Sample(
          key: path, path: path, location: .file(joined(root, path)), label: names?[number] ?? String(number),
          split: options.split ?? list.split, attributes: attributes, source: lines.path, line: lines.line)
        try probe.see(sample, file: lines.path)
        summary.samples += 1
        try each(sample)
      }
      try probe.finish(file: lines.path)
    }
    try log.throwIfAny()
    return summary
  }
}
