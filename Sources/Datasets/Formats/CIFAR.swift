import Foundation

/// CIFAR-10 and CIFAR-100, the binary version: records of one label byte (two for CIFAR-100: coarse, fine) and 3,072
/// bytes of pixels, 32 × 32, plane by plane.
///
/// A sample's key is the file's name, `#` and the record's number from 0. CIFAR-100's label is the fine one; the coarse
/// one is the attribute `coarse_label`.
package struct CIFAR: DatasetFormat {
  package static let name = "cifar"
  package static let summary =
    "CIFAR-10 or CIFAR-100, binary version: data_batch_1.bin …, or train.bin and test.bin"

  static let side = 32
  static let imageBytes = 3 * side * side
  static let coarseLabel = "coarse_label"

  /// The two layouts.
  struct Layout: Sendable {
    var files: [(name: String, split: String)]
    var labelBytes: Int
    var names: String
    var coarseNames: String?

    static let ten = Layout(
      files: (1...5).map { ("data_batch_\($0).bin", "train") } + [("test_batch.bin", "test")], labelBytes: 1,
      names: "batches.meta.txt")
    static let hundred = Layout(
      files: [("train.bin", "train"), ("test.bin", "test")], labelBytes: 2, names: "fine_label_names.txt",
      coarseNames: "coarse_label_names.txt")
  }

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool { layout(source) != nil }

  private static func layout(_ source: DatasetSource) -> Layout? {
    if source.has("data_batch_1.bin") || source.has("test_batch.bin") { return .ten }
    let isHundred = source.has("train.bin") || source.has("test.bin")
    return isHundred && source.has(Layout.hundred.names) ? .hundred : nil
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    guard let layout = Self.layout(source) else {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "holds neither data_batch_1.bin … nor train.bin with fine_label_names.txt",
          remedy: "Unpack the binary version of CIFAR (cifar-10-binary.tar.gz); the Python version is pickled"
        ))
    }
    let log = ProblemLog()
    let folder = source.absolutePath
    func names(_ file: String?) throws -> [String]? {
      try file.flatMap { source.has($0) ? try LineReader.names(path: "\(folder)/\($0)", log: log) : nil }
    }
    let classes = try options.classNames ?? names(layout.names)
    let coarse = try names(layout.coarseNames)
    var summary = DatasetSummary()
    for (name, split) in layout.files where source.has(name) {
      let path = "\(folder)/\(name)"
      let file = try Descriptor(reading: path)
      let recordBytes = layout.labelBytes + Self.imageBytes
      guard file.size % Int64(recordBytes) == 0 else {
        log.add(
          path, "has \(file.size) bytes, which is no multiple of a record's \(recordBytes)",
          "Download it again")
        continue
      }
      for record in 0..<Int(file.size / Int64(recordBytes)) {
        let start = Int64(record * recordBytes)
        let labels = try file.bytes(at: start, count: layout.labelBytes).map(Int.init)
        let label = labels[layout.labelBytes - 1]
        guard label < classes?.count ?? 256, layout.labelBytes == 1 || labels[0] < coarse?.count ?? 256 else {
          log.add(
            path, "record \(record) has the label \(labels), which has no name",
            "Check the lists of class names")
          continue
        }
        let key = "\(name)#\(record)"
        summary.samples += 1
        try each(
          Sample(
            key: key, path: key,
            location: .planes(
              file: path, offset: start + Int64(layout.labelBytes), width: Self.side, height: Self.side),
            label: classes?[label] ?? String(label), split: options.split ?? split,
            attributes: layout.labelBytes == 1
              ? []
              : [SampleAttribute(name: Self.coarseLabel, value: coarse?[labels[0]] ?? String(labels[0]))],
            source: path))
      }
    }
    try log.throwIfAny()
    return summary
  }
}
