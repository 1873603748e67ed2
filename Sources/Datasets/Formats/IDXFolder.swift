import Foundation

/// A folder in MNIST's layout: `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, `t10k-…` for the test split,
/// each gzipped or not; or one IDX image file, whose labels lie beside it. A `classes.txt` may name the classes.
package struct IDXFolder: DatasetFormat {
  package static let name = "idx"
  package static let summary =
    "IDX files as MNIST's: train-images-idx3-ubyte(.gz) with train-labels-idx1-ubyte(.gz)"

  /// The names of the files' parts, as published, and the split that each means.
  private static let parts = [("train", "train"), ("t10k", "test"), ("test", "test")]

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    !pairs(source).isEmpty
  }

  private struct Pair {
    var images: String
    var labels: String
    var split: String
  }

  private static func pairs(_ source: DatasetSource) -> [Pair] {
    let folder = source.folder
    func existing(_ stem: String) -> String? {
      ["", ".gz"].map { "\(folder)/\(stem)\($0)" }.first { access($0, R_OK) == 0 }
    }
    let all = parts.compactMap { part, split -> Pair? in
      guard let images = existing("\(part)-images-idx3-ubyte"),
        let labels = existing("\(part)-labels-idx1-ubyte")
      else { return nil }
      return Pair(images: images, labels: labels, split: split)
    }
    return source.isFolder ? all : all.filter { $0.images == source.absolutePath }
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let pairs = Self.pairs(source)
    if pairs.isEmpty {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "has no pair of IDX files",
          remedy: "Expected train-images-idx3-ubyte and train-labels-idx1-ubyte, gzipped or not"))
    }
    var summary = DatasetSummary()
    for pair in pairs { summary.samples += try read(pair, each) }
    return summary
  }

  private func read(_ pair: Pair, _ each: (Sample) throws -> Void) throws -> Int {
    let labels = try IDXFile(path: pair.labels)
    let header = try IDXHeader(path: pair.images)
    guard labels.shape.count == 1, header.shape.count == 3, labels.shape[0] == header.shape[0] else {
      throw DatasetProblems(
        DatasetProblem(
          file: pair.images,
          what: "has the shape \(header.shape), while \(pair.labels) has the shape \(labels.shape)",
          remedy: "There must be one label per image; take both files from one data set"))
    }
    let stem = URL(fileURLWithPath: pair.images).lastPathComponent
    let log = ProblemLog()
    let list = "\(source.folder)/classes.txt"
    let names =
      try options.classNames ?? (access(list, R_OK) == 0 ? LineReader.names(path: list, log: log) : nil)
    for (index, value) in labels.bytes.enumerated() {
      if let names, Int(value) >= names.count {
        log.add(
          pair.labels, line: index + 1, "has the label \(value), but there are \(names.count) class names",
          "Name all classes")
        continue
      }
      let path = "\(stem)#\(index)"
      try each(
        Sample(
          key: path, path: path, location: .idx(file: pair.images, index: index),
          label: names?[Int(value)] ?? String(value), split: options.split ?? pair.split, source: pair.images,
          line: index + 1))
    }
    try log.throwIfAny()
    return labels.bytes.count
  }
}

/// The shape of an IDX file, without its values.
struct IDXHeader {
  let shape: [Int]

  init(path: String) throws(DatasetProblems) {
    let file = try InputFile(path: path)
    var bytes = [UInt8](repeating: 0, count: 20)
    let got = try bytes.withUnsafeMutableBufferPointer { buffer throws(DatasetProblems) -> Int in
      guard let base = buffer.baseAddress else { return 0 }
      return try file.read(into: base, count: 20)
    }
    guard got >= 8, bytes[0] == 0, bytes[1] == 0, bytes[2] == 0x08, (1...4).contains(bytes[3]),
      got >= 4 + 4 * Int(bytes[3])
    else {
      throw DatasetProblems(
        DatasetProblem(file: path, what: "is not an IDX file of unsigned bytes", remedy: "Download it again"))
    }
    shape = (0..<Int(bytes[3])).map { size in
      bytes[(4 + 4 * size)..<(8 + 4 * size)].reduce(0) { $0 << 8 | Int($1) }
    }
  }
}
