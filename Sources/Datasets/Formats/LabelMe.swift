import Files
import Foundation

/// LabelMe's JSON files, one beside each image, taken as classification: the flag that is true, or else the one label
/// that all shapes carry.
///
/// Images with several flags or labels, or none, are passed over and counted. A folder at the top that is named like a
/// split is one.
package struct LabelMe: DatasetFormat {
  package static let name = "labelme"
  package static let summary = "LabelMe's JSON files beside the images, of one flag or one label each"

  package static let takes: Set<DatasetOption> = [.root]

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    guard source.isFolder else { return false }
    let names = source.names(limit: 256)
    func subfolders(of folder: String, _ names: [String]) -> [String] {
      names.prefix(8).map { "\(folder)\($0)/" }.filter {
        DatasetSource.isFolder("\(source.absolutePath)/\($0)")
      }
    }
    // Below the top lie classes, or splits and then classes.
    let outer = subfolders(of: "", names)
    let inner = outer.flatMap { folder in
      subfolders(
        of: folder, (try? DatasetSource(path: "\(source.absolutePath)/\(folder)"))?.names(limit: 256) ?? [])
    }
    let folders = [""] + outer + inner
    for folder in folders {
      let inner =
        folder.isEmpty
        ? names : (try? DatasetSource(path: "\(source.absolutePath)/\(folder)"))?.names(limit: 256) ?? []
      guard let file = inner.first(where: { $0.hasSuffix(".json") }) else { continue }
      guard let head = (try? DatasetSource(path: "\(source.absolutePath)/\(folder)\(file)"))?.head else {
        continue
      }
      let text = String(decoding: head, as: UTF8.self)
      return text.contains("\"shapes\"") || (text.contains("\"flags\"") && text.contains("\"version\""))
    }
    return false
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let log = ProblemLog()
    let notices = NoticeLog()
    let root = try options.imageRoot(of: source)
    var summary = DatasetSummary()
    let walk = FolderWalk(root: source.absolutePath, branchDepth: 1, log: log, notices: NoticeLog())
    try walk.files { path, isImage in
      guard !isImage, path.lowercased().hasSuffix(".json") else { return }
      let file = "\(source.absolutePath)/\(path)"
      do {
        let note = try MappedText(path: file).withBytes { bytes throws(JSONScanner.Fault) in try Note(bytes) }
        guard let label = note.label else {
          notices.add("skipped images without a label, or with several", path)
          return
        }
        let folder = path.parted(atLast: .slash).map { $0.before + "/" } ?? ""
        // Windows' backslashes occur; images were moved together with their files, so the name is what counts.
        let name = note.imagePath.fields(at: UInt8(ascii: "\\")).last?.fields(at: .slash).last ?? ""
        guard !name.isEmpty else {
          log.add(file, "has no imagePath", "Write the image's name there")
          return
        }
        let image = folder + name
        summary.samples += 1
        let split = path.parted(atFirst: .slash).flatMap { SplitName.canonical($0.before) }
        try each(
          Sample(
            key: image, path: image, location: .file("\(root)/\(image)"), label: label,
            split: options.split ?? split ?? SplitName.train, source: file))
      } catch let fault as JSONScanner.Fault {
        log.add(file, "is not JSON: \(fault.what) at byte \(fault.offset + 1)", "Write it again")
      } catch let problems as DatasetProblems where problems.first.allSatisfy({ $0.file == file }) {
        for problem in problems.first { log.add(problem) }
      }
    }
    try log.throwIfAny()
    summary.notices = notices.notices
    return summary
  }

  /// The facts in a file about its image.
  private struct Note {
    var imagePath = ""
    /// The flag or label, if there is exactly one.
    var label: String?

    init(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONScanner.Fault) {
      var flags: Set<String> = []
      var labels: Set<String> = []
      var path = ""
      var scanner = JSONScanner(bytes)
      try scanner.object { (name, scanner) throws(JSONScanner.Fault) in
        switch name {
        case "imagePath": path = try scanner.valueText() ?? ""
        case "flags" where scanner.isNext("{"):
          try scanner.members { (flag, scanner) throws(JSONScanner.Fault) in
            if try scanner.valueText() == "true" { flags.insert(flag) }
          }
        case "shapes" where scanner.isNext("["):
          try scanner.elements { scanner throws(JSONScanner.Fault) in
            try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
              if name == "label" {
                if let label = try scanner.valueText() { labels.insert(label) }
              } else {
                try scanner.skip()
              }
            }
          }
        default: try scanner.skip()
        }
      }
      imagePath = path
      let told = flags.isEmpty ? labels : flags
      label = told.count == 1 ? told.first : nil
    }
  }
}
