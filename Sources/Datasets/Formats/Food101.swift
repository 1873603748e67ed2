import Foundation

/// ETH's Food-101: `images/<class>/<id>.jpg`, with `meta/train.txt` and `meta/test.txt` that list `<class>/<id>`.
///
/// A sample's key is `<class>/<id>.jpg`, as Food-101N writes keys.
package struct Food101: DatasetFormat {
  package static let name = "food-101"
  package static let summary = "Food-101: images/<class>/<id>.jpg with meta/train.txt and meta/test.txt"

  static let splits = ["train", "test"]

  package static let takes: Set<DatasetOption> = [.root]

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    source.has("images") && source.has("meta/train.txt") && source.has("meta/test.txt")
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let log = ProblemLog()
    let root = try options.imageRoot(of: source)
    let lists = Self.splits.filter { source.has("meta/\($0).txt") }
    guard !lists.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "has neither meta/train.txt nor meta/test.txt",
          remedy: "Unpack food-101.tar.gz and name the folder food-101"))
    }
    let classes =
      source.has("meta/classes.txt")
      ? Set(try LineReader.names(path: "\(source.absolutePath)/meta/classes.txt", log: log)) : []
    var probe = RootProbe(root: root, active: !options.featuresOnly)
    var summary = DatasetSummary()
    for split in lists {
      let lines = try LineReader(path: "\(source.absolutePath)/meta/\(split).txt", log: log)
      while let line = try lines.next() {
        guard let (label, id) = line.parted(atFirst: .slash), !label.isEmpty, !id.isEmpty else {
          log.add(lines.path, line: lines.line, "is not <class>/<id>", "Write the folder and the name")
          continue
        }
        guard classes.isEmpty || classes.contains(label) else {
          log.add(
            lines.path, line: lines.line, "names the class \"\(label)\", which meta/classes.txt does not",
            "Add it there, or correct the line")
          continue
        }
        let key = ImageName.isImage(line) ? line : line + ".jpg"
        let sample = Sample(
          key: key, path: "images/\(key)", location: .file("\(root)/images/\(key)"), label: label,
          split: options.split ?? split, source: lines.path, line: lines.line)
        try probe.see(sample, file: lines.path)
        summary.samples += 1
        try each(sample)
      }
    }
    try log.throwIfAny()
    try probe.finish(file: source.path)
    return summary
  }
}
