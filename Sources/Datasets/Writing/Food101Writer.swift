import Foundation

extension Food101: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try Food101Writer(output)
  }
}

/// Writes `images/<class>/<id>.jpg`, `meta/classes.txt`, `meta/labels.txt`, `meta/train.txt` and `meta/test.txt`.
final class Food101Writer: DatasetWriter {
  private let session: WritingSession
  private var lists: [String: OutputFile] = [:]

  var leftOut: Int { session.leftOut }

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output, foldersAreClasses: true)
    for split in Food101.splits { lists[split] = try OutputFile(session.place, "meta/\(split).txt") }
    try ClassList.write(session, "meta/classes.txt", output.classNames.map(session.names.folder))
    // The readable names, by the convention of the original.
    try ClassList.write(
      session, "meta/labels.txt", output.classNames.map { $0.replacingOccurrences(of: "_", with: " ") })
  }

  func add(_ sample: Sample) throws {
    guard let list = lists[sample.split] else {
      _ = session.has(sample, splits: Food101.splits, format: Food101.name)
      return
    }
    try session.write(sample) {
      let key = try ListedImage.put(sample, session)
      // Lists leave `.jpg` out, unless what is left would be taken for an image's whole name.
      let stem = key.utf8.count > 4 ? String(key.utf8.dropLast(4)) ?? key : key
      let isPlain = key.utf8.suffix(4).elementsEqual(".jpg".utf8) && !ImageName.isImage(stem)
      try list.write((isPlain ? stem : key) + "\n")
    }
  }

  func finish() throws -> [String] {
    try session.finish { for list in lists.values { try list.finish() } }
  }
}

extension Food101N: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try Food101NWriter(output)
  }
}

/// Writes `images/<class>/<key>.jpg`, `meta/classes.txt`, `meta/imagelist.tsv`, the verified images in
/// `meta/verified_train.tsv` and `meta/verified_val.tsv`, and `meta/classes_heldout_<percent>.txt`.
final class Food101NWriter: DatasetWriter {
  private let session: WritingSession
  private let list: OutputFile
  private var verified: [String: OutputFile] = [:]
  private var heldOut: [Int: Set<String>] = [:]

  var leftOut: Int { session.leftOut }

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output, foldersAreClasses: true)
    list = try OutputFile(session.place, "meta/imagelist.tsv")
    try list.write("class_name/key\n")
    for name in Food101N.verifiedLists {
      let file = try OutputFile(session.place, "meta/verified_\(name).tsv")
      try file.write(Food101NVerdicts.header + "\n")
      verified[name] = file
    }
    try ClassList.write(
      session, "meta/classes.txt", ["class_name"] + output.classNames.map(session.names.folder))
  }

  func add(_ sample: Sample) throws {
    guard session.has(sample, splits: ["train"], format: Food101N.name) else { return }
    try session.write(sample) {
      let key = try ListedImage.put(sample, session)
      try list.write(key + "\n")
      if let isRight = sample.verification {
        let name = sample.attribute(Food101N.verifiedIn) ?? "train"
        try (verified[name] ?? verified["train"])?.write("\(key)\t\(isRight ? 1 : 0)\n")
      }
      for percent in sample.attribute(Food101N.heldOut)?.fields(at: .space) ?? [] {
        if let percent = Int(percent) {
          heldOut[percent, default: []].insert(session.names.folder(sample.label))
        }
      }
    }
  }

  func finish() throws -> [String] {
    try session.finish {
      try list.finish()
      for file in verified.values { try file.finish() }
      for percent in Food101N.heldOutLists {
        guard let out = heldOut[percent] else { continue }
        let classes = session.output.classNames.map(session.names.folder)
        try ClassList.write(
          session, "meta/classes_heldout_\(percent).txt", classes.map { "\($0)\t\(out.contains($0) ? 0 : 1)" }
        )
      }
    }
  }
}

/// Lists with one class per line.
enum ClassList {
  static func write(_ session: WritingSession, _ path: String, _ names: [String]) throws {
    let file = try OutputFile(session.place, path)
    for name in names {
      do {
        try WritingSession.requireLine(name)
      } catch {
        throw DatasetProblems(DatasetProblem(file: path, what: error.what, remedy: error.remedy))
      }
      try file.write(name + "\n")
    }
    try file.finish()
  }
}

/// Images that lie in `images/<class>/` and are named in lists by what follows `images/`.
enum ListedImage {
  /// Puts the image in place.
  /// - Returns: `<class>/<name>`.
  static func put(_ sample: Sample, _ session: WritingSession) throws -> String {
    let wanted = session.names.folder(sample.label) + "/" + SafeNames.file(sample)
    try WritingSession.requireLine(wanted, without: [.tab])
    return try String(session.images.put(sample, at: "images/" + wanted).utf8.dropFirst("images/".utf8.count))
      ?? wanted
  }
}
