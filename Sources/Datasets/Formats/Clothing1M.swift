import Foundation

/// Clothing1M: `noisy_label_kv.txt` and `clean_label_kv.txt` with one line `<path> <number>` per image, lists of the
/// paths of each split, and `category_names_eng.txt`.
///
/// An image's label is its noisy one. Where there is a clean one too, it is the attribute `clean_label`, and the
/// label is verified: right if both are equal. Images of `clean_test_key_list.txt` are the split `test`; they carry
/// the clean label, since classifiers are tested on them, and `noisy_label` as an attribute.
package struct Clothing1M: DatasetFormat {
  package static let name = "clothing1m"
  package static let summary = "Clothing1M: noisy_label_kv.txt, clean_label_kv.txt and lists of keys"

  static let noisy = "noisy_label_kv.txt"
  static let clean = "clean_label_kv.txt"
  static let names = "category_names_eng.txt"
  static let cleanLabel = "clean_label"
  static let noisyLabel = "noisy_label"
  /// Splits of the images with clean labels. All others are for training.
  static let lists = [
    "clean_train_key_list.txt": "train", "clean_val_key_list.txt": "val", "clean_test_key_list.txt": "test",
  ]

  package static let takes: Set<DatasetOption> = [.root]

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    source.has(noisy) || (source.has(clean) && source.has("clean_test_key_list.txt"))
  }

  /// The facts about an image with a clean label.
  private struct Clean {
    var label: Int
    var split = "train"
    var line: Int
    var isUsed = false
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let log = ProblemLog()
    let root = try options.imageRoot(of: source)
    let folder = source.absolutePath
    let names =
      try options.classNames
      ?? (source.has(Self.names) ? LineReader.names(path: "\(folder)/\(Self.names)", log: log) : nil)
    func name(_ label: Int) -> String { names.map { $0[label] } ?? String(label) }
    var cleans: [String: Clean] = [:]
    if source.has(Self.clean) {
      try labels(Self.clean, names, log) { path, label, line in
        if let earlier = cleans.updateValue(Clean(label: label, line: line), forKey: path) {
          log.add(
            "\(folder)/\(Self.clean)", line: line, "labels \(path) again, as on line \(earlier.line)",
            "Remove one")
        }
      }
    }
    for (list, split) in Self.lists where source.has(list) {
      let lines = try LineReader(path: "\(folder)/\(list)", log: log)
      while let path = try lines.next() { cleans[path]?.split = split }
    }
    var probe = RootProbe(root: root, active: !options.featuresOnly)
    var summary = DatasetSummary()
    func pass(_ path: String, label: Int, clean: Clean?, noisy: Int?, file: String, line: Int) throws {
      var attributes: [SampleAttribute] = []
      let split = clean?.split ?? "train"
      var given = label
      var verification = Bool?.none
      if let clean {
        attributes.append(SampleAttribute(name: Self.cleanLabel, value: name(clean.label)))
        if split == "test" {
          given = clean.label
          if let noisy { attributes.append(SampleAttribute(name: Self.noisyLabel, value: name(noisy))) }
        } else {
          verification = noisy.map { $0 == clean.label }
        }
      }
      let sample = Sample(
        key: path, path: path, location: .file(joined(root, path)), label: name(given),
        split: options.split ?? split, verification: verification, attributes: attributes, source: file,
        line: line)
      try probe.see(sample, file: file)
      summary.samples += 1
      try each(sample)
    }
    if source.has(Self.noisy) {
      let file = "\(folder)/\(Self.noisy)"
      try labels(Self.noisy, names, log) { path, label, line in
        let clean = cleans[path]
        if clean != nil { cleans[path]?.isUsed = true }
        try pass(path, label: label, clean: clean, noisy: label, file: file, line: line)
      }
    }
    // Images with a clean label only, in their file's order.
    for (path, clean) in cleans.filter({ !$1.isUsed }).sorted(by: { $0.value.line < $1.value.line }) {
      try pass(
        path, label: clean.label, clean: clean, noisy: nil, file: "\(folder)/\(Self.clean)", line: clean.line)
    }
    try log.throwIfAny()
    try probe.finish(file: source.path)
    return summary
  }

  private func labels(
    _ name: String, _ names: [String]?, _ log: ProblemLog, _ each: (String, Int, Int) throws -> Void
  ) throws {
    let lines = try LineReader(path: "\(source.absolutePath)/\(name)", log: log)
    while let (path, label) = try lines.numbered(below: names?.count, log: log) {
      try each(path, label, lines.line)
    }
  }
}

extension LineReader {
  /// The next line `<path> <number>`; others go to the log. The path may hold spaces.
  func numbered(below count: Int?, log: ProblemLog) throws -> (path: String, number: Int)? {
    while let line = try next() {
      guard let (path, text) = line.parted(atLast: .space) ?? line.parted(atLast: .tab), !path.isEmpty,
        let number = Int(text), number >= 0
      else {
        log.add(self.path, line: self.line, "is not a path, a space and a number", "Correct the line")
        continue
      }
      if let count, number >= count {
        log.add(
          self.path, line: self.line, "has the label \(number), but there are \(count) class names",
          "Name all classes, or correct the line")
        continue
      }
      return (path, number)
    }
    return nil
  }
}
