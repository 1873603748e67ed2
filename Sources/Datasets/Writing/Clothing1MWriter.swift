extension Clothing1M: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try Clothing1MWriter(output)
  }
}

/// Writes `images/…`, the lists of noisy and clean labels, the lists of each split, and `category_names_eng.txt`.
final class Clothing1MWriter: DatasetWriter {
  private static let splits = ["train", "val", "test"]

  private let session: WritingSession
  private let numbers: [String: Int]
  private var lists: [String: OutputFile] = [:]

  var leftOut: Int { session.leftOut }

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output)
    numbers = Dictionary(output.classNames.enumerated().map { ($1, $0) }) { first, _ in first }
    try ClassList.write(session, Clothing1M.names, output.classNames)
    for name in [Clothing1M.noisy, Clothing1M.clean, "noisy_train_key_list.txt"] + Clothing1M.lists.keys {
      lists[name] = try OutputFile(session.place, name)
    }
  }

  func add(_ sample: Sample) throws {
    guard session.has(sample, splits: Self.splits, format: Clothing1M.name) else { return }
    try session.write(sample) {
      let wanted =
        sample.path.startsExactly(with: "images/")
          && sample.path.fields(at: .slash).allSatisfy { $0 != ".." && !$0.isEmpty }
          && ImageName.isImage(sample.path)
        ? sample.path : "images/\(session.names.folder(sample.label))/\(SafeNames.file(sample))"
      try WritingSession.requireLine(wanted)
      let path = try session.images.put(sample, at: wanted)
      let isTest = sample.split == "test"
      let noisy = isTest ? sample.attribute(Clothing1M.noisyLabel) : sample.label
      // A right label is a clean one; of a wrong one only the original's own clean label tells what is right.
      let clean =
        sample.attribute(Clothing1M.cleanLabel)
        ?? (isTest || sample.verification == true ? sample.label : nil)
      if sample.verification == false, clean == nil {
        session.notices.add(
          "verdicts \"wrong\" without a clean label left out, which Clothing1M cannot hold", path)
      }
      // An image that has a clean label alone was given that one.
      let hasNoisy = noisy != nil && (isTest || clean == nil || sample.verification != nil)
      if hasNoisy, let noisy {
        try lists[Clothing1M.noisy]?.write("\(path) \(try number(noisy))\n")
        if sample.split == "train" { try lists["noisy_train_key_list.txt"]?.write(path + "\n") }
      }
      if let clean {
        try lists[Clothing1M.clean]?.write("\(path) \(try number(clean))\n")
        for (name, split) in Clothing1M.lists where split == sample.split {
          try lists[name]?.write(path + "\n")
        }
      } else if sample.split != "train" {
        session.notices.add("images of other splits without a clean label are in train", path)
      }
    }
  }

  private func number(_ label: String) throws(RecordFault) -> Int {
    guard let number = numbers[label] else {
      throw RecordFault(
        what: "has the clean label \"\(label)\", which is no class", remedy: "Map it with --label-map")
    }
    return number
  }

  func finish() throws -> [String] {
    try session.finish { for list in lists.values { try list.finish() } }
  }
}
