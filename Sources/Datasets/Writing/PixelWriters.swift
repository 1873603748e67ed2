extension CIFAR: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter { try CIFARWriter(output) }
}

/// Writes CIFAR-10's files, or CIFAR-100's where samples have a coarse label. Only images of 32 × 32 bare pixels fit.
final class CIFARWriter: DatasetWriter {
  private let session: WritingSession
  private let numbers: [String: Int]
  private let layout: CIFAR.Layout
  private let isHundred: Bool
  private var coarse: [String] = []
  private var files: [String: OutputFile] = [:]
  private let bytes = ImageBytes()

  var leftOut: Int { session.leftOut }

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output)
    isHundred = output.attributeNames.contains(CIFAR.coarseLabel)
    layout = isHundred ? .hundred : .ten
    numbers = Dictionary(output.classNames.enumerated().map { ($1, $0) }) { first, _ in first }
    try ClassList.write(session, layout.names, output.classNames)
  }

  func add(_ sample: Sample) throws {
    guard session.has(sample, splits: ["train", "test"], format: CIFAR.name) else { return }
    try session.write(sample) {
      guard case .planes(let path, let offset, CIFAR.side, CIFAR.side) = sample.location else {
        throw RecordFault(
          what: "is not an image of 32 × 32 raw pixels", remedy: "Export it as an image-folder or webdataset")
      }
      guard let number = numbers[sample.label], number < 256 else {
        throw RecordFault(what: "belongs to a class beyond the 256th", remedy: "Export it as webdataset")
      }
      var record = [UInt8(number)]
      if isHundred {
        let name = sample.attribute(CIFAR.coarseLabel) ?? "unknown"
        let place = coarse.firstIndex(of: name) ?? coarse.count
        if place == coarse.count { coarse.append(name) }
        record.insert(UInt8(truncatingIfNeeded: place), at: 0)
      }
      // In the file that it came from, where that is one of the format's.
      let possible = layout.files.filter { $0.split == sample.split }.map(\.name)
      let own = sample.path.parted(atFirst: UInt8(ascii: "#"))?.before ?? ""
      let file = try file(possible.contains(own) ? own : possible[0])
      try file.write(record)
      try file.write(bytes.raw(path, offset, count: CIFAR.imageBytes))
    }
  }

  private func file(_ name: String) throws -> OutputFile {
    if let file = files[name] { return file }
    let file = try OutputFile(session.place, name)
    files[name] = file
    return file
  }

  func finish() throws -> [String] {
    try session.finish {
      if let names = layout.coarseNames { try ClassList.write(session, names, coarse) }
      for file in files.values { try file.finish() }
    }
  }
}

extension IDXFolder: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter { try IDXWriter(output) }
}

/// Writes MNIST's files, and `classes.txt` with the classes' names. Only grey images of bare pixels, of one size, fit.
final class IDXWriter: DatasetWriter {
  private let session: WritingSession
  private let numbers: [String: Int]
  private var parts: [String: Part] = [:]
  private let bytes = ImageBytes()

  private final class Part {
    let images: OutputFile
    let labels: OutputFile
    let size: [Int]
    var count = 0

    init(_ place: OutputPlace, _ name: String, size: [Int]) throws {
      self.size = size
      images = try OutputFile(place, "\(name)-images-idx3-ubyte")
      labels = try OutputFile(place, "\(name)-labels-idx1-ubyte")
      try images.write(IDXWriter.header([0] + size))
      try labels.write(IDXWriter.header([0]))
    }

    func finish() throws {
      for file in [images, labels] {
        try file.finish(replacing: IDXWriter.header([count]).suffix(4), at: 4)
      }
    }
  }

  var leftOut: Int { session.leftOut }

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output)
    // Numbers that are names keep their meaning; other names are numbered.
    let isNumbered = output.classNames.allSatisfy { UInt8($0) != nil }
    numbers = Dictionary(
      output.classNames.enumerated().map { ($1, isNumbered ? Int($1) ?? $0 : $0) }
    ) { first, _ in first }
    if !isNumbered { try ClassList.write(session, "classes.txt", output.classNames) }
  }

  static func header(_ shape: [Int]) -> [UInt8] {
    [0, 0, 8, UInt8(shape.count)]
      + shape.flatMap { size in (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) } }
  }

  func add(_ sample: Sample) throws {
    guard session.has(sample, splits: ["train", "test"], format: IDXFolder.name) else { return }
    try session.write(sample) {
      guard case .idx(let path, let index) = sample.location else {
        throw RecordFault(
          what: "is not an image of an IDX file", remedy: "Export it as an image-folder or webdataset")
      }
      guard let number = numbers[sample.label], number < 256 else {
        throw RecordFault(what: "belongs to a class beyond the 256th", remedy: "Export it as webdataset")
      }
      let (pixels, size) = try bytes.pixels(path, index)
      let part =
        try parts[sample.split] ?? Part(session.place, sample.split == "test" ? "t10k" : "train", size: size)
      parts[sample.split] = part
      guard part.size == size else {
        throw RecordFault(
          what: "has the size \(size), while the others have \(part.size)", remedy: "Export an image-folder")
      }
      try part.images.write(pixels)
      try part.labels.write([UInt8(number)])
      part.count += 1
    }
  }

  func finish() throws -> [String] {
    try session.finish { for part in parts.values { try part.finish() } }
  }
}
