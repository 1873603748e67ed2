import Foundation

/// Food-101N: `images/<class>/<key>.jpg`, listed in `meta/imagelist.tsv`; the verified images in
/// `meta/verified_train.tsv` and `meta/verified_val.tsv`, as `<class>/<key>.jpg` and 1 (label right) or 0.
///
/// A sample's key is `<class>/<key>.jpg`. The attribute `verified_in` says which of the two files judges an image;
/// `held_out` which of the lists `meta/classes_heldout_<percent>.txt` hold its class out, as `30 50 70`.
package struct Food101N: DatasetFormat {
  package static let name = "food-101n"
  package static let summary =
    "Food-101N: images/<class>/<key>.jpg with meta/imagelist.tsv and meta/verified_{train,val}.tsv"

  static let verifiedIn = "verified_in"
  static let heldOut = "held_out"
  static let verifiedLists = ["train", "val"]
  static let heldOutLists = [10, 30, 50, 70]

  package static let takes: Set<DatasetOption> = [.root]

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    source.has("images") && source.has("meta/imagelist.tsv")
  }

  private struct Verdict {
    var isRight: Bool
    var list: String
    var isUsed = false
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let log = ProblemLog()
    let notices = NoticeLog()
    let root = try options.imageRoot(of: source)
    var verdicts: [String: Verdict] = [:]
    for list in Self.verifiedLists where source.has("meta/verified_\(list).tsv") {
      let path = "\(source.absolutePath)/meta/verified_\(list).tsv"
      try Food101NVerdicts.read(path: path, log: log) { key, isRight, line in
        if verdicts.updateValue(Verdict(isRight: isRight, list: list), forKey: key) != nil {
          log.add(path, line: line, "judges \(key) a second time", "Remove one of the two verdicts")
        }
      }
    }
    let heldOut = try heldOutClasses(log)
    let lines = try LineReader(path: "\(source.absolutePath)/meta/imagelist.tsv", log: log)
    var probe = RootProbe(root: root, active: !options.featuresOnly)
    var summary = DatasetSummary()
    while let line = try lines.next() {
      let key = line.parted(atFirst: .tab)?.before ?? line
      guard let (label, name) = key.parted(atFirst: .slash), !label.isEmpty, ImageName.isImage(name) else {
        // A header row, in some copies.
        if lines.line > 1 {
          log.add(
            lines.path, line: lines.line, "is not <class>/<key>.jpg", "Write the folder and the file's name")
        }
        continue
      }
      var attributes: [SampleAttribute] = []
      let verdict = verdicts[key]
      if let verdict {
        verdicts[key]?.isUsed = true
        attributes.append(SampleAttribute(name: Self.verifiedIn, value: verdict.list))
      }
      if let lists = heldOut[label] { attributes.append(SampleAttribute(name: Self.heldOut, value: lists)) }
      let sample = Sample(
        key: key, path: "images/\(key)", location: .file("\(root)/images/\(key)"), label: label,
        split: options.split ?? "train", verification: verdict?.isRight, attributes: attributes,
        source: lines.path, line: lines.line)
      try probe.see(sample, file: lines.path)
      summary.samples += 1
      try each(sample)
    }
    for key in verdicts.filter({ !$1.isUsed }).keys.sorted() {
      notices.add("skipped verdicts on images that meta/imagelist.tsv does not list", key)
    }
    try log.throwIfAny()
    try probe.finish(file: source.path)
    summary.notices = notices.notices
    return summary
  }

  /// Of each class that is held out somewhere, the lists' percentages.
  private func heldOutClasses(_ log: ProblemLog) throws -> [String: String] {
    var lists: [String: [String]] = [:]
    for percent in Self.heldOutLists where source.has("meta/classes_heldout_\(percent).txt") {
      let lines = try LineReader(
        path: "\(source.absolutePath)/meta/classes_heldout_\(percent).txt", log: log)
      while let line = try lines.next() {
        switch line.parted(atLast: .tab) {
        case (let name, "0")?: lists[name, default: []].append(String(percent))
        case (_, "1")?: continue
        default:
          log.add(
            lines.path, line: lines.line, "is not a class, a tab, and 0 (held out) or 1", "Correct the line")
        }
      }
    }
    return lists.mapValues { $0.joined(separator: " ") }
  }
}

/// Food-101N's tables of verdicts: `<class>/<key>.jpg`, a tab, and 1 (label right) or 0 (wrong).
enum Food101NVerdicts {
  static let header = "class_name/key\tverification_label"

  static func read(
    path: String, log: ProblemLog, _ each: (_ key: String, _ isRight: Bool, _ line: Int) throws -> Void
  ) throws {
    let lines = try LineReader(path: path, log: log)
    while let line = try lines.next() {
      switch line.parted(atLast: .tab) {
      case (let key, "1")?: try each(key, true, lines.line)
      case (let key, "0")?: try each(key, false, lines.line)
      default:
        if lines.line == 1, !line.utf8.contains(where: { $0 == UInt8(ascii: ".") }) { continue }
        log.add(
          path, line: lines.line, "is not <class>/<key>.jpg, a tab, and 1 (label right) or 0 (wrong)",
          "Correct the line")
      }
    }
  }
}
