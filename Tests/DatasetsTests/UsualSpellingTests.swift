import Foundation
import Testing

@testable import Datasets

/// Other spellings of people's data sets: each is read, or refused with a fitting word.
@Suite("Other spellings")
struct UsualSpellingTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["cat0.jpg", "cat1.jpg", "dog0.jpg", "dog1.jpg"] { try folder.write("img/\(name)") }
  }

  private static let rows = [
    ("img/cat0.jpg", "cat"), ("img/cat1.jpg", "cat"), ("img/dog0.jpg", "dog"), ("img/dog1.jpg", "dog"),
  ]
  private static let expected = ["cat", "cat", "dog", "dog"]

  private func labels(_ path: String, _ change: (inout DatasetOptions) -> Void = { _ in }) throws -> [String]
  {
    try samples(path, change).map(\.label)
  }

  private func summary(_ path: String) throws -> DatasetSummary {
    try DatasetReader.open(source: path).read { _ in }
  }

  @Test(
    "splits that siblings' names tell together",
    arguments: [
      ("pets-train", "pets-test"), ("train", "eval"), ("train_images", "test_images"),
      ("Train (1)", "Holdout"),
    ])
  func splits(train: String, test: String) throws {
    for split in [train, test] {
      for label in ["cat", "dog"] { try folder.write("set/\(split)/\(label)/1.jpg") }
    }
    let read = try samples("\(folder.path)/set")
    #expect(
      Set(read.map { "\($0.label) \($0.split)" }) == ["cat train", "dog train", "cat test", "dog test"])
  }

  @Test("names with other words beside are no splits")
  func noSplits() {
    #expect(SplitName.canonical(among: ["crash-test", "train station"]).isEmpty)
    #expect(SplitName.canonical(among: ["pets-train", "cars-test"]).isEmpty)
    #expect(
      SplitName.canonical(among: ["pets_train", "pets_val", "x"]) == [
        "pets_train": "train", "pets_val": "val",
      ])
  }

  @Test(
    "columns that tell the split",
    arguments: [
      ("is_test", "0", "1"), ("is_training_image", "1", "0"), ("train", "True", "False"),
      ("mode", "Train", "Testing"),
      ("stage", "training", "TEST"),
    ])
  func splitColumns(name: String, train: String, test: String) throws {
    let path = try folder.write(
      "t.csv", "path,label,\(name)\nimg/cat0.jpg,cat,\(train)\nimg/dog0.jpg,dog,\(test)\n")
    #expect(try samples(path).map(\.split) == ["train", "test"])
    #expect(try summary(path).guesses.joined().contains(name))
  }

  @Test("a column of yes and no that is the label is none of splits")
  func flagLabel() throws {
    let path = try folder.write("t.csv", "path,label\nimg/cat0.jpg,1\nimg/dog0.jpg,0\n")
    #expect(try samples(path).map(\.split) == ["train", "train"])
  }

  @Test(
    "numbers of classes beside their names, lists in cells",
    arguments: [
      "path,label,label_name\nimg/cat0.jpg,0,cat\nimg/cat1.jpg,0,cat\nimg/dog0.jpg,1,dog\nimg/dog1.jpg,1,dog\n",
      "path,label\nimg/cat0.jpg,['cat']\nimg/cat1.jpg,['cat']\nimg/dog0.jpg,['dog']\nimg/dog1.jpg,['dog']\n",
      "path,label\nimg/cat0.jpg,\"{\"\"name\"\": \"\"cat\"\"}\"\nimg/cat1.jpg,\"[\"\"cat\"\"]\"\nimg/dog0.jpg,[dog]\n"
        .replacingOccurrences(of: "[dog]", with: "['dog']") + "img/dog1.jpg,['dog']\n",
      "path    label\nimg/cat0.jpg  cat\nimg/cat1.jpg    cat\nimg/dog0.jpg  dog\nimg/dog1.jpg  dog\n",
    ])
  func cells(text: String) throws {
    #expect(try labels(folder.write("t.csv", text)) == Self.expected)
  }

  @Test("numbers that part the rows otherwise than the names beside them stay the labels")
  func otherNames() throws {
    let path = try folder.write(
      "t.csv", "path,label,species\nimg/cat0.jpg,0,x\nimg/cat1.jpg,0,y\nimg/dog0.jpg,1,y\n")
    #expect(try labels(path) == ["0", "0", "1"])
  }

  @Test(
    "paths of files that were converted, of file: addresses",
    arguments: [
      { $0.replacingOccurrences(of: ".jpg", with: ".png") },
      { $0.replacingOccurrences(of: ".jpg", with: ".jpeg") },
      { "file:" + $0 },
    ] as [@Sendable (String) -> String])
  func paths(change: @Sendable (String) -> String) throws {
    let text = "path,label\n" + Self.rows.map { "\(change($0.0)),\($0.1)\n" }.joined()
    let read = try samples(folder.write("t.csv", text))
    #expect(read.map(\.label) == Self.expected)
    for (sample, row) in zip(read, Self.rows) {
      #expect(sample.location == .file("\(folder.path)/\(row.0)"))
    }
  }

  @Test("missing images are told: paths from a root of their own, images beside in an archive, single ones")
  func missing() throws {
    let rooted = try folder.write("r.csv", "path,label\n/img/cat0.jpg,cat\n/img/dog0.jpg,dog\n")
    #expect(try problems(rooted).description.contains("--path-prefix '/=\(folder.path)/'"))
    try StoredZip.write([("a.jpg", [1]), ("b.jpg", [1])], to: "\(folder.path)/z.zip")
    let zipped = try folder.write("z.csv", "path,label\na.jpg,cat\nb.jpg,dog\n")
    #expect(try problems(zipped).description.contains("--root '\(folder.path)/z.zip'"))
    #expect(try labels(zipped) { $0.root = "\(folder.path)/z.zip" } == ["cat", "dog"])
    let some = try folder.write("s.csv", "path,label\nimg/cat0.jpg,cat\nimg/gone.jpg,dog\n")
    #expect(try summary(some).notices.joined().contains("not there: 1 of 2 (first: img/gone.jpg)"))
  }

  @Test("a manifest's images in several archives")
  func archives() throws {
    for (number, name) in ["a", "b"].enumerated() {
      try StoredZip.write([("\(name).jpg", [UInt8(number)])], to: "\(folder.path)/shard-\(number).zip")
    }
    let path = try folder.write("t.csv", "path,label\na.jpg,cat\nb.jpg,dog\n")
    for pattern in ["shard-{0..1}.zip", "shard-*.zip"] {
      let read = try samples(path) { $0.root = "\(folder.path)/\(pattern)" }
      #expect(read.map(\.label) == ["cat", "dog"])
      #expect(try read.map { try Array(ImageBytes().read($0.location, key: "")) } == [[0], [1]])
    }
    let none = try folder.write("n.csv", "path,label\na.jpg,cat\nc.jpg,dog\n")
    #expect(try problems(none) { $0.root = "\(folder.path)/shard-*.zip" }.description.contains("c.jpg"))
  }

  @Test(
    "JSON with one list per split, a list of another name, labels without a list of classes",
    arguments: [
      #"{"train": [{"path": "img/cat0.jpg", "label": "cat"}], "test": [{"path": "img/dog0.jpg", "label": "dog"}]}"#,
      #"{"version": 1, "images": [{"file_name": "img/cat0.jpg", "label": "cat"}, {"file_name": "img/dog0.jpg", "label": "dog"}]}"#,
      #"{"annotations": [{"image": "img/cat0.jpg", "category": "cat"}, {"image": "img/dog0.jpg", "category": "dog"}]}"#,
      #"{"classes": null, "labels": {"cat0": "cat", "dog0": "dog"}}"#,
    ])
  func json(text: String) throws {
    let read = try samples(folder.write("t.json", text))
    #expect(read.map(\.label) == ["cat", "dog"])
    #expect(read.map(\.split) == (text.contains("train") ? ["train", "test"] : ["train", "train"]))
  }

  @Test("COCO without a label is refused, not imported as nothing")
  func nothing() throws {
    let path = try folder.write(
      "c.json", #"{"images": [{"id": 1, "file_name": "img/cat0.jpg"}], "annotations": [], "categories": []}"#)
    #expect(try problems(path).description.contains("images without annotation"))
  }

  @Test("UTF-16 without a mark, in long files and of other letters than Latin; UTF-32 is named")
  func wide() throws {
    func bytes(_ text: String, bigEndian: Bool) -> [UInt8] {
      text.utf16.flatMap { unit in
        let pair = [UInt8(unit & 0xFF), UInt8(unit >> 8)]
        return bigEndian ? pair.reversed() : pair
      }
    }
    for bigEndian in [false, true] {
      let long = "path,label,key\n" + (0..<9000).map { "img/cat0.jpg,\u{732B}\($0 % 7),\($0)\n" }.joined()
      #expect(try samples(folder.write("l.csv", bytes(long, bigEndian: bigEndian))).count == 9000)
      let other =
        "\u{8DEF}\u{5F84},\u{6807}\u{7B7E}\n"
        + (0..<400).map { "img/cat0.jpg,\(String(repeating: "\u{732B}\u{72D7}", count: 20))\($0 % 3)\n" }
        .joined()
      let read = try samples(folder.write("o.csv", bytes(other, bigEndian: bigEndian)))
      #expect(read.count == 400 && Set(read.map(\.label)).count == 3)
    }
    let wider: [UInt8] = [0xFF, 0xFE, 0, 0] + "path,label\n".utf8.flatMap { [$0, 0, 0, 0] }
    #expect(try problems(folder.write("w.csv", wider)).description.contains("iconv -f UTF-32"))
  }

  @Test(
    "files that are no tables are named",
    arguments: [
      ("<html><table><tr><td>path</td></tr></table></html>\n", "x.xls", "HTML"),
      ("<?xml version=\"1.0\"?>\n<annotation/>\n", "x.xml", "XML"),
      ("- path: a.jpg\n  label: b\n", "x.yaml", "one field each"),
      ("path^label\na^b\n", "x.csv", "one field each"),
      ("key,label\n1,cat\n2,dog\n", "x.csv", "--features"),
    ])
  func foreign(text: String, name: String, word: String) throws {
    #expect(try problems(folder.write(name, text)).description.contains(word))
  }

  @Test("Hugging Face's table in a folder around it, with its archive beside it")
  func huggingFace() throws {
    try folder.write("hf/data/test/a.jpg")
    try folder.write("hf/data/test/metadata.csv", "file_name,label\na.jpg,cat\n")
    let read = try samples("\(folder.path)/hf")
    #expect(read.map { "\($0.path) \($0.split)" } == ["data/test/a.jpg test"])
    try folder.write("zipped/metadata.jsonl", #"{"file_name": "a.jpg", "label": "cat"}"#)
    try StoredZip.write([("a.jpg", [1])], to: "\(folder.path)/zipped/images.zip")
    #expect(try problems("\(folder.path)/zipped").description.contains("images.zip"))
    #expect(try labels("\(folder.path)/zipped") { $0.root = "\(folder.path)/zipped/images.zip" } == ["cat"])
  }

  @Test("many rows with one remedy are told in few lines")
  func problemLines() throws {
    let rows = (0..<40).map { "C:\\data\\\($0).jpg,cat\n" }.joined()
    let text = try problems(folder.write("t.csv", "path,label\n" + rows)).description
    #expect(text.split(separator: "\n").count < 7 && text.contains("--path-prefix 'C:\\data=FOLDER'"))
    #expect(text.contains("40 problems"))
  }

  @Test("options that a format cannot follow are known")
  func idle() throws {
    var options = DatasetOptions()
    options.classLevel = 1
    options.labelColumn = "label"
    let table = try folder.write("t.csv", "path,label\nimg/cat0.jpg,cat\n")
    #expect(try DatasetReader.open(source: table, options: options).idleOptions == [.classLevel])
    #expect(try DatasetReader.open(source: folder.path, options: options).idleOptions == [.labelColumn])
  }
}
