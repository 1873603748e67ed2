import Foundation
import Testing

@testable import Datasets

/// The limits of a format, and the place where its reader finds the files of its writer.
struct FormatCase: CustomTestStringConvertible, Sendable {
  var format: String
  /// The output's name.
  var output = "out"
  /// The path to read, below the output.
  var entry = ""
  var splits = ["train", "test"]
  var holdsVerification = false
  var holdsAttributes = false
  /// Whether samples keep their keys.
  var holdsKeys = false
  /// Whether names may hold line ends and tabs.
  var holdsLineEnds = true
  /// Whether classes may hold line ends and slashes as they are.
  var renamesClasses = true

  var testDescription: String { "\(format) \(output)" }

  static let files: [FormatCase] = [
    FormatCase(format: "image-folder"),
    FormatCase(format: "tar", output: "out.tar"),
    FormatCase(format: "zip", output: "out.zip"),
    FormatCase(
      format: "manifest", output: "out.csv", splits: ["train", "test", "my split"], holdsVerification: true,
      holdsAttributes: true, holdsKeys: true, renamesClasses: false),
    FormatCase(
      format: "manifest", output: "out.tsv", splits: ["train", "x"], holdsVerification: true,
      holdsAttributes: true, holdsKeys: true,
      renamesClasses: false),
    FormatCase(
      format: "manifest", output: "out.jsonl", splits: ["train", "x"], holdsVerification: true,
      holdsAttributes: true, holdsKeys: true, renamesClasses: false),
    FormatCase(
      format: "hf-image-folder", holdsVerification: true, holdsAttributes: true, holdsKeys: true,
      renamesClasses: false),
    FormatCase(
      format: "webdataset", splits: ["train", "test", "fold 1"], holdsVerification: true,
      holdsAttributes: true, holdsKeys: true,
      renamesClasses: false),
    FormatCase(format: "food-101", holdsLineEnds: false),
    FormatCase(format: "food-101n", splits: ["train"], holdsVerification: true, holdsLineEnds: false),
    FormatCase(
      format: "clothing1m", splits: ["train"], holdsVerification: true, holdsLineEnds: false,
      renamesClasses: false),
    FormatCase(format: "webvision", holdsLineEnds: false, renamesClasses: false),
    FormatCase(format: "coco", renamesClasses: false),
    FormatCase(
      format: "coco", entry: "/annotations/instances_train.json", splits: ["train"], renamesClasses: false),
    FormatCase(format: "labelme", renamesClasses: false),
  ]
}

extension FormatCase {
  /// Formats by what holds all of a data set.
  static var whole: [FormatCase] { files.filter(\.entry.isEmpty) }
}

@Suite("Reading what was written")
struct RoundTripTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let plainClasses = [
    "apple pie", "crème brûlée", "a,b", "say \"hi\"", "e\u{301}té", "日本 語", "7", "#1 {x}",
  ]
  private static let plainNames = [
    "a b.jpg", "c,d.jpg", "quo\"te.png", "e\u{301}.jpg", "日本 語.JPG", "dot.s.in.name.jpeg", "-dash.jpg",
    "100%.jpg",
    "#hash.webp", "\u{301}start.jpg", "it's.jpg", "x.png.jpg", " space .jpg",
    String(repeating: "long", count: 40) + ".jpg",
  ]
  private static let lineClasses = ["c\nd", "tab\there", "a/b"]
  private static let lineNames = ["new\nline.jpg", "tab\t.jpg", "cr\r.jpg"]

  /// Samples with awkward names, each image with bytes of its own.
  private func generated(_ format: FormatCase, seed: UInt64) throws -> (samples: [Sample], classes: [String])
  {
    var random = Numbers(state: seed)
    let classes = (Self.plainClasses + (format.holdsLineEnds ? Self.lineClasses : [])).shuffled(
      using: &random)
    let names = Self.plainNames + (format.holdsLineEnds ? Self.lineNames : [])
    var samples: [Sample] = []
    for index in 0..<34 {
      let label = classes[index < classes.count ? index : Int.random(in: 0..<classes.count, using: &random)]
      let name = names[index % names.count]
      // Names may occur twice in one class.
      let path = index % 7 == 0 ? "deep/\(index)/\(name)" : "\(index % 3)/\(name)"
      let file = try folder.write("in/\(index)\(name)", [UInt8(index), 0xFF, 0xD8])
      var sample = Sample(
        key: "\(index):\(name)", path: path, location: .file(file), label: label,
        split: format.splits[
          index < classes.count ? 0 : Int.random(in: 0..<format.splits.count, using: &random)])
      if format.holdsVerification, let verdict = [true, false, nil].randomElement(using: &random) {
        sample.verification = verdict
        if verdict == false, format.format == "clothing1m" {
          sample.attributes = [
            SampleAttribute(name: "clean_label", value: classes.first { $0 != label } ?? "")
          ]
        }
      }
      if format.holdsAttributes, Bool.random(using: &random) {
        sample.attributes = [SampleAttribute(name: "truth, \"really\"", value: "\(label)\n\(index)")]
      }
      samples.append(sample)
    }
    return (samples, classes)
  }

  @discardableResult
  private func write(
    _ samples: [Sample], _ classes: [String], _ format: FormatCase, to name: String,
    _ change: (inout DatasetOutput) -> Void = { _ in }
  ) throws -> [String] {
    var output = DatasetOutput(
      path: "\(folder.path)/\(name)/\(format.output)", classNames: classes,
      splits: format.splits.filter { split in samples.contains { $0.split == split } })
    output.attributeNames = samples.flatMap(\.attributes).map(\.name).reduce(into: []) {
      if !$0.contains($1) { $0.append($1) }
    }
    output.shardSize = 7
    change(&output)
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    let writer = try DatasetReader.writer(format: format.format, output)
    for sample in samples { try writer.add(sample) }
    return try writer.finish()
  }

  private func read(_ format: FormatCase, _ name: String) throws -> [Sample] {
    try samples("\(folder.path)/\(name)/\(format.output)\(format.entry)")
  }

  /// A sample without what names places of one copy.
  private func essence(_ sample: Sample, attributes: Bool = true) throws -> [String] {
    let bytes = try ImageBytes().read(sample.location, key: sample.key)
    return [sample.label, sample.split, "\(sample.verification as Any)", "\(bytes)"]
      + (attributes ? sample.attributes.flatMap { [$0.name, $0.value] } : [])
  }

  @Test("a data set reads back as it was written", arguments: FormatCase.files, [1, 2] as [UInt64])
  func identity(format: FormatCase, seed: UInt64) throws {
    let (original, classes) = try generated(format, seed: seed)
    try write(original, classes, format, to: "first")
    let path = "\(folder.path)/first/\(format.output)\(format.entry)"
    #expect(try DatasetReader.open(source: path).formatName == format.format)
    let first = try read(format, "first")
    #expect(first.count == original.count)
    #expect(Set(first.map(\.key)).count == first.count)

    // The same images with the same labels, splits and verdicts.
    let expected = try original.map { sample in
      var sample = sample
      if format.renamesClasses { sample.label = sample.label.replacingOccurrences(of: "/", with: "_") }
      return try essence(sample, attributes: format.holdsAttributes)
    }
    let got = try first.map { try essence($0, attributes: format.holdsAttributes) }
    let byBytes = { (left: [String], right: [String]) in left[3] < right[3] }
    #expect(got.sorted(by: byBytes) == expected.sorted(by: byBytes))

    // Written again, all of it is the same: keys, paths, order.
    let names = format.renamesClasses ? classes.map { $0.replacingOccurrences(of: "/", with: "_") } : classes
    try write(first, names, format, to: "second")
    let second = try read(format, "second")
    #expect(second.map(\.key) == first.map(\.key))
    #expect(second.map(\.path) == first.map(\.path))
    #expect(try second.map { try essence($0) } == first.map { try essence($0) })
  }

  @Test(
    "samples of any format are written in any other with the same labels, splits and bytes",
    arguments: FormatCase.whole, FormatCase.whole)
  func pairs(from: FormatCase, to: FormatCase) throws {
    var common = from
    common.splits = from.splits.filter(to.splits.contains)
    common.holdsLineEnds = from.holdsLineEnds && to.holdsLineEnds
    common.holdsVerification = false
    common.holdsAttributes = false
    let (original, classes) = try generated(common, seed: 7)
    var source = from
    source.splits = common.splits
    try write(original, classes, source, to: "first")
    let first = try read(from, "first")
    var target = to
    target.splits = common.splits
    try write(first, Array(Set(first.map(\.label))).sorted(), target, to: "second")
    let renames = from.renamesClasses || to.renamesClasses
    let expected = try original.map { sample in
      var sample = sample
      if renames { sample.label = sample.label.replacingOccurrences(of: "/", with: "_") }
      return try essence(sample, attributes: false).joined(separator: "|")
    }
    let second = try samples("\(folder.path)/second/\(to.output)") {
      if to.format == "manifest", ["tar", "zip"].contains(from.format) {
        $0.root = "\(folder.path)/first/\(from.output)"
      } else if to.format == "manifest", from.format == "webdataset" {
        $0.root = "\(folder.path)/first/\(from.output)/*.tar"
      }
    }
    #expect(
      try second.map { try essence($0, attributes: false).joined(separator: "|") }.sorted()
        == expected.sorted())
    // A format that keeps keys keeps the given ones.
    if from.holdsKeys, to.holdsKeys { #expect(Set(second.map(\.key)) == Set(original.map(\.key))) }
  }

  @Test(
    "classes called like splits, wrappers and junk are written so that they are read again, or refused",
    arguments: FormatCase.whole)
  func oddClasses(format: FormatCase) throws {
    let sets = [
      ["train", "test"], ["train", "test", "val", "cat"], ["images", "labels", "data"],
      ["annotations", "meta", "info"],
      ["images"], ["train"], ["cat", "images"], ["test", "dog"], ["__MACOSX", "cat"], [".hidden", "cat"],
      ["Thumbs.db", "cat"], ["._cat", "cat"],
    ]
    for (number, classes) in sets.enumerated() {
      var samples: [Sample] = []
      for (index, label) in (classes + classes + classes).enumerated() {
        let file = try folder.write("odd/\(number)/\(index).jpg", [UInt8(index), UInt8(number)])
        samples.append(
          Sample(
            key: "\(index)", path: "\(index).jpg", location: .file(file), label: label,
            split: format.splits[index / classes.count % min(2, format.splits.count)]))
      }
      let expected = try samples.map { sample in
        var sample = sample
        // A folder of that name would be passed over.
        if format.renamesClasses, JunkName.isJunk(sample.label.utf8) { sample.label = "_" + sample.label }
        return try essence(sample, attributes: false)
      }.sorted { $0[3] < $1[3] }
      do {
        try write(samples, classes, format, to: "odd\(number)")
      } catch let problems as DatasetProblems {
        #expect(problems.description.contains(classes[0]), "\(problems)")
        continue
      }
      let got = try read(format, "odd\(number)").map { try essence($0, attributes: false) }
      #expect(got.sorted { $0[3] < $1[3] } == expected, "\(classes)")
    }
  }

  @Test("no name of a split or class leads out of the place", arguments: FormatCase.whole)
  func insidePlace(format: FormatCase) throws {
    let file = try folder.write("in/1.jpg")
    for (label, split) in [
      ("cat", "../../evil"), ("../../evil", "train"), ("..", "train"), ("cat", "/tmp/evil"),
    ] {
      let sample = Sample(key: "1", path: "1.jpg", location: .file(file), label: label, split: split)
      try? FileManager.default.removeItem(atPath: "\(folder.path)/a")
      _ = try? write([sample], [label], format, to: "a/b") { $0.splits = [split] }
      let made = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(made.sorted() == ["a", "in"], "\(label) \(split): \(made)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/a") == ["b"])
      let inner = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/a/b")
      #expect(inner.allSatisfy { $0.hasPrefix("out") }, "\(inner)")
      #expect(!FileManager.default.fileExists(atPath: "/tmp/evil"))
    }
  }

  @Test("formats without class folders keep classes whose folders would be called the same")
  func sameFolders() throws {
    let samples = try ["a/b", "a_b"].map { label in
      Sample(
        key: label, path: "\(label).jpg", location: .file(try folder.write("in/\(label).jpg")), label: label)
    }
    for format in FormatCase.files where !format.renamesClasses && format.entry.isEmpty {
      let name = "x-\(format.testDescription)"
      try write(samples, ["a/b", "a_b"], format, to: name)
      #expect(try read(format, name).map(\.label).sorted() == ["a/b", "a_b"], "\(format)")
    }
  }

  @Test(
    "lists keep the order",
    arguments: FormatCase.files.filter { $0.format != "image-folder" && $0.format != "labelme" })
  func order(format: FormatCase) throws {
    let (original, classes) = try generated(format, seed: 9)
    let train = original.filter { $0.split == "train" }
    try write(train, classes, format, to: "first")
    #expect(try read(format, "first").map { try essence($0)[3] } == train.map { try essence($0)[3] })
  }

  @Test(
    "the formats that list files line by line refuse names with line ends, all together",
    arguments: FormatCase.files.filter { !$0.holdsLineEnds })
  func lineEnds(format: FormatCase) throws {
    let bad = try ["a\nb.jpg", "c\nd.jpg"].map { name in
      Sample(key: name, path: name, location: .file(try folder.write(name)), label: "cat")
    }
    do {
      try write(bad, ["cat"], format, to: "first")
      Issue.record("was written")
    } catch let problems as DatasetProblems {
      #expect(problems.count == 2)
      #expect(problems.description.contains("line end"))
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/first/out"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/first").isEmpty)
  }

  @Test("images come as links or copies", arguments: ImageTransfer.allCases)
  func transfer(transfer: ImageTransfer) throws {
    let file = try folder.write("in/1.jpg", [1, 2, 3])
    let sample = Sample(key: "1", path: "1.jpg", location: .file(file), label: "cat")
    try write([sample], ["cat"], FormatCase(format: "image-folder"), to: "x") { $0.images = transfer }
    let written = "\(folder.path)/x/out/cat/1.jpg"
    #expect(try Data(contentsOf: URL(fileURLWithPath: written)) == Data([1, 2, 3]))
    let kind = try FileManager.default.attributesOfItem(atPath: written)
    #expect((kind[.type] as? FileAttributeType == .typeSymbolicLink) == (transfer == .symlink))
    #expect((kind[.referenceCount] as? Int == 2) == (transfer == .hardlink))
  }

  @Test("existing files are not written over")
  func existing() throws {
    try folder.write("x/out/precious.jpg")
    #expect(throws: DatasetProblems.self) {
      try write([], ["cat"], FormatCase(format: "image-folder"), to: "x")
    }
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/x/out/precious.jpg"))
  }

  @Test("images that are not there are named together, and nothing is left")
  func missing() throws {
    let gone = (0..<3).map {
      Sample(key: "\($0)", path: "\($0).jpg", location: .file("/nowhere/\($0).jpg"), label: "cat")
    }
    do {
      try write(gone, ["cat"], FormatCase(format: "image-folder"), to: "x")
      Issue.record("was written")
    } catch let problems as DatasetProblems {
      #expect(problems.count == 3)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/x").isEmpty)
  }

  @Test("classes that would share a folder are refused")
  func sharedFolder() {
    #expect(throws: DatasetProblems.self) {
      try write([], ["a/b", "a_b"], FormatCase(format: "image-folder"), to: "x")
    }
  }

  @Test("bare pixels keep their records", arguments: [false, true])
  func cifar(hundred: Bool) throws {
    var random = Numbers(state: 5)
    let names =
      (hundred ? ["train.bin", "test.bin"] : ["data_batch_1.bin", "data_batch_3.bin", "test_batch.bin"])
    for name in names {
      var bytes: [UInt8] = []
      for record in 0..<4 {
        // Coarse names are numbered in order of appearance when written, so they appear in order.
        if hundred { bytes.append(name == "train.bin" && record == 0 ? 0 : 1) }
        bytes.append(UInt8(record % 3))
        for _ in 0..<3072 { bytes.append(UInt8.random(in: 0...255, using: &random)) }
      }
      try folder.write("in/\(name)", bytes)
    }
    try folder.write(hundred ? "in/fine_label_names.txt" : "in/batches.meta.txt", "plane\ncar\nbird\n\n")
    if hundred { try folder.write("in/coarse_label_names.txt", "air\nground\n") }
    let first = try samples("\(folder.path)/in")
    #expect(
      first.map(\.split)
        == names.flatMap { Array(repeating: $0.hasPrefix("test") ? "test" : "train", count: 4) })
    #expect(first.prefix(4).map(\.label) == ["plane", "car", "bird", "plane"])
    #expect(first.first?.attribute("coarse_label") == (hundred ? "air" : nil))
    let format = FormatCase(format: "cifar")
    try write(first, ["plane", "car", "bird"], format, to: "x")
    #expect(try read(format, "x").map { try essence($0) } == first.map { try essence($0) })
    for name in names {
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/x/out/\(name)"))
          == Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/in/\(name)")))
    }
    // As a picture, the first pixel is the first byte of each plane.
    let picture = try ImageBytes().read(first[0].location, key: "")
    let raw = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/in/\(names[0])"))
    let start = hundred ? 2 : 1
    #expect(picture.starts(with: "P6\n32 32\n255\n".utf8))
    #expect(Array(picture[13..<16]) == [raw[start], raw[start + 1024], raw[start + 2048]])
  }

  @Test("IDX files are written as they were read")
  func idx() throws {
    try folder.write(
      "in/train-images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6])
    try folder.write("in/train-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 2, 1, 0])
    let first = try samples("\(folder.path)/in") { $0.classNames = ["shirt", "T-shirt/top"] }
    let format = FormatCase(format: "idx")
    try write(first, ["shirt", "T-shirt/top"], format, to: "x")
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/x/out/\(name)"))
          == Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/in/\(name)")))
    }
    #expect(try read(format, "x").map(\.label) == ["T-shirt/top", "shirt"])
  }

  @Test("features as text keep every bit")
  func features() throws {
    var random = Numbers(state: 3)
    let output = DatasetOutput(path: "\(folder.path)/out.tsv", classNames: ["a b", "c"])
    let writer = try #require(try CleanNetTable.writer(output) as? CleanNetTableWriter)
    var expected: [[Float]] = []
    for index in 0..<20 {
      let values = (0..<5).map { _ in Float(bitPattern: UInt32.random(in: 0..<0x7F80_0000, using: &random)) }
      expected.append(values)
      try writer.add(
        Sample(
          key: "k \(index), é", path: "", location: .none, label: index % 2 == 0 ? "a b" : "c",
          verification: [true, false, nil][index % 3]), features: values)
    }
    _ = try writer.finish()
    let dataset = try DatasetReader.open(source: output.path)
    #expect(dataset.formatName == "cleannet-tsv")
    var got: [[Float]] = []
    try #require(dataset.features).readFeatures { got.append(Array($0)) }
    #expect(got == expected)
    let read = try samples(output.path)
    #expect(read.map(\.key) == (0..<20).map { "k \($0), é" })
    #expect(read.map(\.verification) == (0..<20).map { [true, false, nil][$0 % 3] })
  }
}

/// Random numbers from a seed (xorshift*).
struct Numbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    if state == 0 { state = 1 }
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}
