import Foundation
import Testing

@testable import Datasets

/// Tables as pandas, spreadsheets and other programs write them.
@Suite("Tables as people have them")
struct TableEvidenceTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["c0.jpg", "c1.jpg", "d0.jpg", "d1.jpg"] { try folder.write("img/\(name)") }
  }

  private static let rows = [
    ("img/c0.jpg", "cat"), ("img/c1.jpg", "cat"), ("img/d0.jpg", "dog"), ("img/d1.jpg", "dog"),
  ]

  private func table(_ header: String?, _ separator: String = ",", _ path: (String) -> String = { $0 })
    -> String
  {
    let rows = Self.rows.map { "\(path($0.0))\(separator)\($0.1)" }
    return ((header.map { [$0] } ?? []) + rows).joined(separator: "\n") + "\n"
  }

  private func labels(_ path: String, _ change: (inout DatasetOptions) -> Void = { _ in }) throws -> [String]
  {
    try samples(path, change).map(\.label)
  }

  private func guesses(_ path: String) throws -> String {
    try DatasetReader.open(source: path).read { _ in }.guesses.joined(separator: "; ")
  }

  private static let expected = ["cat", "cat", "dog", "dog"]

  @Test(
    "a header is told by the cells below it, whatever its names are",
    arguments: [
      "path,label", "id_code,diagnosis", "picture,species", "image_name,tags", "filepaths,labels",
      "name,breed", "Bild,Klasse",
      "path, label", "#path,label",
    ])
  func headers(header: String) throws {
    let path = try folder.write("t.csv", table(header))
    #expect(try labels(path) == Self.expected)
    #expect(try guesses(path).contains("columns:"))
  }

  @Test("without a header the first row counts, and the path's column is told by what is there")
  func noHeader() throws {
    #expect(try labels(folder.write("t.csv", table(nil))) == Self.expected)
    let swapped = Self.rows.map { "\($0.1),\($0.0)" }.joined(separator: "\n")
    #expect(try labels(folder.write("s.csv", swapped)) == Self.expected)
    #expect(try guesses("\(folder.path)/s.csv").contains("header: none"))
    let labelled = try folder.write("l.csv", "cell,label,color\nimg/c0.jpg,cat,red\nimg/d0.jpg,dog,red\n")
    #expect(try labels(labelled) == ["cat", "dog"])
  }

  @Test(
    "ids and paths of other places are found: by extension, folder, name, form",
    arguments: [
      { ImagePlaces.stem($0) }, { ImagePlaces.stem($0.replacingOccurrences(of: "img/", with: "")) },
      { $0.replacingOccurrences(of: "img/", with: "") },
      { $0.replacingOccurrences(of: ".jpg", with: ".JPG") },
      { $0.replacingOccurrences(of: "/", with: "%2F") }, { $0.replacingOccurrences(of: "/", with: "\\") },
      { "./" + $0 },
      { $0 + " " }, { "/data/local-files/?d=" + $0 },
    ] as [@Sendable (String) -> String])
  func paths(change: @Sendable (String) -> String) throws {
    let path = try folder.write("t.csv", table("image_id,dx", ",", change))
    let read = try samples(path)
    #expect(read.map(\.label) == Self.expected)
    for (sample, row) in zip(read, Self.rows) {
      guard case .file(let file) = sample.location else { throw Missing() }
      #expect(URL(fileURLWithPath: file).standardized.path == "\(folder.path)/\(row.0)")
    }
  }

  private struct Missing: Error {}

  @Test("images in several folders are found by their names")
  func severalFolders() throws {
    for part in 1...2 { for index in 0..<3 { try folder.write("ham/part_\(part)/I\(part)\(index).jpg") } }
    let rows = (1...2).flatMap { part in (0..<3).map { "L,I\(part)\($0),\(part == 1 ? "nv" : "mel")" } }
    let path = try folder.write("ham/meta.csv", "lesion_id,image_id,dx\n" + rows.joined(separator: "\n"))
    let read = try samples(path)
    #expect(read.map(\.label) == ["nv", "nv", "nv", "mel", "mel", "mel"])
    #expect(
      read.map(\.key).first == "I10"
        && read.map(\.path).first == "ham/part_1/I10.jpg".replacingOccurrences(of: "ham/", with: ""))
  }

  @Test("names in another Unicode form are found, rows with backslashes among others too")
  func forms() throws {
    try folder.write("img/cafe\u{301}.jpg")
    let path = try folder.write("t.csv", table("path,label") + "img/caf\u{E9}.jpg,dog\nimg\\d1.jpg,dog\n")
    let read = try samples(path) { $0.keyColumn = nil }
    #expect(read.count == 6)
    for sample in read {
      guard case .file(let file) = sample.location else { throw Missing() }
      #expect(access(file, F_OK) == 0)
    }
  }

  @Test(
    "delimiters, comments, quotes and line ends",
    arguments: [
      "sep=;\r\npath;label\r\nimg/c0.jpg;cat\r\nimg/d0.jpg;dog\r\n",
      "path|label\nimg/c0.jpg|cat\nimg/d0.jpg|dog\n",
      "# made 2024\npath,label\nimg/c0.jpg,cat\nimg/d0.jpg,dog\n",
      "path,label\rimg/c0.jpg,cat\rimg/d0.jpg,dog\r",
      "'path','label'\n'img/c0.jpg','cat'\n'img/d0.jpg','dog'\n",
      "\n\npath,label\nimg/c0.jpg,cat\nimg/d0.jpg,dog\n",
      "path,label\nimg/c0.jpg,cat\nimg/d0.jpg,dog\n\u{1A}",
      ",path,label\n0,img/c0.jpg,cat\n1,img/d0.jpg,dog\n",
      "path, label\nimg/c0.jpg, cat\nimg/d0.jpg, dog\n",
    ])
  func shapes(text: String) throws {
    #expect(try labels(folder.write("t.csv", text)) == ["cat", "dog"])
  }

  @Test(
    "UTF-16 of both orders, with a mark, over the edges of pieces",
    arguments: [0, 1])
  func wide(kind: Int) throws {
    let rows = (0..<9000).map { "img/c0.jpg,K\u{E4}se \u{1F600} \($0 % 7),\($0)\n" }
    let text = "path,label,key\n" + rows.joined()
    var bytes: [UInt8] = kind == 0 ? [0xFF, 0xFE] : [0xFE, 0xFF]
    for unit in text.utf16 {
      let pair = [UInt8(unit & 0xFF), UInt8(unit >> 8)]
      bytes += kind == 0 ? pair : pair.reversed()
    }
    let read = try samples(folder.write("t.csv", bytes))
    #expect(read.count == 9000)
    #expect(read.enumerated().allSatisfy { $1.label == "K\u{E4}se \u{1F600} \($0 % 7)" })
  }

  @Test(
    "paths made of several columns, the label's among them; the path's own is not needed",
    arguments: [
      ("folder,id,n,label\nimg,c,0,cat\nimg,d,1,dog\n", "{folder}/{id}{n}.jpg"),
      ("label,n,folder\nc,0,img\nd,1,img\n", "{folder}/{label}{n}.jpg"),
      ("n,label\n0,c\n1,d\n", "img/{label}{n}.jpg"), ("label\nc\nd\n", "img/{label}0.jpg"),
      ("image,n,label\nc,0,cat\nd,1,dog\n", "img/{}{n}.jpg"),
    ])
  func templates(text: String, template: String) throws {
    let file = try folder.write("t.csv", text)
    let read = try samples(file) { options in
      options.pathTemplate = template
      if !text.contains("cat") { options.labelColumn = "label" }
    }
    #expect(read.map { $0.label.prefix(1) } == ["c", "d"])
    #expect(read.map(\.path).first == "img/c0.jpg")
    #expect(
      try problems(file) { $0.pathTemplate = "{nothing}.jpg" }.description.contains("no column \"nothing\""))
  }

  @Test("class numbers with a fraction, one column per class, the folder of the path")
  func labelKinds() throws {
    let floats = try folder.write("f.csv", "path,label\nimg/c0.jpg,0.0\nimg/d0.jpg,1.0\n")
    #expect(try labels(floats) == ["0", "1"])
    #expect(try labels(floats) { $0.classNames = ["cat", "dog"] } == ["cat", "dog"])
    let hot = try folder.write("h.csv", "image,MEL,NV,BCC\nc0,1.0,0.0,0.0\nd0,0.0,0.0,1.0\nd1,0.0,1.0,1.0\n")
    #expect(try labels(hot) == ["MEL", "BCC"])
    #expect(
      try DatasetReader.open(source: hot).read { _ in }.notices.contains { $0.contains("several classes") })
    for name in ["cat/0.jpg", "dog/0.jpg"] { try folder.write("hf/\(name)") }
    try folder.write("hf/metadata.csv", "file_name,width\ncat/0.jpg,64\ndog/0.jpg,64\n")
    #expect(try labels("\(folder.path)/hf") == ["cat", "dog"])
    for split in ["train", "valid"] {
      try folder.write("rf/\(split)/a.jpg")
      try folder.write("rf/\(split)/_classes.csv", "filename, cat, dog\na.jpg, 1, 0\n")
    }
    #expect(try samples("\(folder.path)/rf").map { "\($0.label) \($0.split)" } == ["cat train", "cat val"])
  }

  @Test(
    "JSON in the shapes of pandas, FiftyOne, Label Studio and hand-written maps",
    arguments: [
      (#"[{"path": "img/c0.jpg", "label": "cat"}, {"path": "img/d0.jpg", "label": "dog"}]"#, "t.json"),
      (#"[{"path": "img/c0.jpg", "label": "cat"}, {"path": "img/d0.jpg", "label": "dog"}]"#, "t.jsonl"),
      (
        "{\"path\": \"img/c0.jpg\", \"label\": \"cat\"}\n{\"path\": \"img/d0.jpg\", \"label\": \"dog\"}\n",
        "t.json"
      ),
      (
        "{\"path\": \"img/c0.jpg\", \"label\": \"cat\"}\n{\"path\": \"img/d0.jpg\", \"label\": \"dog\"}\n",
        "t.data"
      ),
      (#"{"path": {"0": "img/c0.jpg", "1": "img/d0.jpg"}, "label": {"0": "cat", "1": "dog"}}"#, "t.json"),
      (#"{"path": ["img/c0.jpg", "img/d0.jpg"], "label": ["cat", "dog"]}"#, "t.json"),
      (
        #"{"columns": ["path", "label"], "index": [0, 1], "data": [["img/c0.jpg", "cat"], ["img/d0.jpg", "dog"]]}"#,
        "t.json"
      ),
      (
        #"{"schema": {"fields": []}, "data": [{"path": "img/c0.jpg", "label": "cat"}, {"path": "img/d0.jpg", "label": "dog"}]}"#,
        "t.json"
      ),
      (#"{"img/c0.jpg": "cat", "img/d0.jpg": "dog"}"#, "t.json"),
      (#"{"cat": ["img/c0.jpg"], "dog": ["img/d0.jpg"]}"#, "t.json"),
      (#"{"classes": ["cat", "dog"], "labels": {"c0": 0, "d0": 1}}"#, "t.json"),
      (
        #"{"samples": [{"filepath": "img/c0.jpg", "ground_truth": {"_cls": "Classification", "label": "cat"}}, {"filepath": "img/d0.jpg", "ground_truth": {"label": "dog"}}]}"#,
        "t.json"
      ),
      (
        #"[{"id": 1, "data": {"image": "/data/local-files/?d=img/c0.jpg"}, "annotations": [{"result": [{"from_name": "c", "value": {"choices": ["cat"]}}]}]}, {"data": {"image": "img/d0.jpg"}, "annotations": [{"result": [{"from_name": "c", "value": {"choices": ["dog"]}}]}]}]"#,
        "t.json"
      ),
      (
        "{\"path\": \"img/c0.jpg\", \"label\": {\"id\": 0, \"name\": \"cat\"}}\n{\"path\": \"img/d0.jpg\", \"label\": [\"dog\"]}\n",
        "t.jsonl"
      ),
    ])
  func json(text: String, name: String) throws {
    #expect(try labels(folder.write(name, text)) == ["cat", "dog"])
  }

  @Test("several labels are passed over and counted; none is a problem; other JSON is named")
  func jsonOdds() throws {
    let several = try folder.write(
      "t.jsonl",
      "{\"path\": \"img/c0.jpg\", \"label\": [\"cat\", \"pet\"]}\n{\"path\": \"img/d0.jpg\", \"label\": [\"dog\"]}\n"
    )
    #expect(try labels(several) == ["dog"])
    #expect(
      try DatasetReader.open(source: several).read { _ in }.notices.contains { $0.contains("several labels") }
    )
    let none = try folder.write(
      "n.jsonl", "{\"path\": \"img/c0.jpg\", \"label\": NaN}\n{\"path\": \"img/d0.jpg\", \"label\": []}\n")
    #expect(try problems(none).count == 2)
    #expect(try problems(folder.write("x.json", #"{"a": {"b": 1}, "c": 2}"#)).description.contains(".jsonl"))
    #expect(try problems(folder.write("y.json", "[1, 2]")).count == 1)
    #expect(try problems(folder.write("z.json", "{\"a\": [1,\n")).first.first?.line != nil)
  }

  @Test("a pipe is read once, whole", .timeLimit(.minutes(1)))
  func pipe() async throws {
    let pipe = "\(folder.path)/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    let text = "path,label\n" + String(repeating: "\(folder.path)/img/c0.jpg,cat\n", count: 5000)
    let writer = Thread { try? Data(text.utf8).write(to: URL(fileURLWithPath: pipe)) }
    writer.start()
    #expect(try samples(pipe) { $0.keyPrefix = "" }.count == 5000)
    // The second reading finds the same.
    #expect(try samples(pipe).count == 5000)
  }

  @Test(
    "files of other programs are named, with the way here",
    arguments: [
      ([0xD0, 0xCF, 0x11, 0xE0], "x.xls", "CSV"), (Array("ARROW1".utf8), "x.feather", "Parquet"),
      ([0x89, 0x48, 0x44, 0x46, 0x0D], "x.h5", "HDF5"),
      (Array("SQLite format 3".utf8), "x.db", "sqlite3 -csv"),
      ([0x80, 0x04, 0x95], "x.pkl", "pickle"), ([0x93] + Array("NUMPY".utf8), "x.npy", "--features"),
      (Array("Rar!".utf8), "x.rar", "unrar"), ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "x.7z", "7z x"),
    ] as [([UInt8], String, String)])
  func foreign(start: [UInt8], name: String, word: String) throws {
    #expect(try problems(folder.write(name, start + [0, 0, 0, 0])).description.contains(word))
  }

  @Test("a workbook is named; so is a map or a list of names without effect")
  func noEffect() throws {
    let workbook = "\(folder.path)/t.xlsx"
    try StoredZip.write([("[Content_Types].xml", [1]), ("xl/workbook.xml", [1])], to: workbook)
    #expect(try problems(workbook).description.contains("CSV"))
    let path = try folder.write("t.csv", table("path,label"))
    func notices(_ change: (inout DatasetOptions) -> Void) throws -> String {
      var options = DatasetOptions()
      change(&options)
      return try DatasetReader.open(source: path, options: options).read { _ in }.notices.joined()
    }
    #expect(try notices { $0.labelMap = ["Cat": "x"] }.contains("renames nothing"))
    #expect(try notices { $0.labelMap = ["cat": "x", "bird": "y"] }.contains("\"bird\""))
    #expect(try notices { $0.labelMap = ["cat": "x"] }.isEmpty)
    #expect(try notices { $0.classNames = ["a", "b"] }.contains("--class-names had no effect"))
  }

  @Test("oddities in the labels are told")
  func tally() {
    func warnings(_ labels: [(String, Int)]) -> String {
      var tally = DatasetTally()
      tally.classesAreFolders = true
      for (label, count) in labels { tally.add(label: label, split: "train", samples: count) }
      return tally.warnings.joined(separator: "\n")
    }
    #expect(warnings([("cat", 5), ("dog", 5)]).isEmpty)
    #expect(warnings([("images", 5)]).contains("only one class"))
    #expect(warnings([("train", 5), ("test", 5)]).contains("like splits"))
    #expect(warnings([("cat", 5), ("__MACOSX", 5)]).contains("__MACOSX"))
    #expect(warnings([("cat", 5), ("nan", 2), ("None", 2)]).contains("\"nan\", \"None\""))
    #expect(warnings([("{\"id\": 1}", 5), ("[\"cat\"]", 2)]).contains("JSON"))
    #expect(warnings([("0.0", 5), ("1.0", 2)]).contains("fraction"))
    #expect(warnings([("cat", 5), ("cta", 1)]).contains("single image"))
    #expect(warnings([("a", 1), ("b", 1), ("c", 1)]).contains("another column"))
    for pair in [["cat", "Cat"], ["cat", "cat "], ["caf\u{E9} x", "cafe\u{301}_x"], ["a-b", "a b"]] {
      #expect(DatasetTally.alike(pair + ["dog"]).joined().contains("almost the same"))
    }
    #expect(DatasetTally.alike(["1", "-1", "ab", "a b"]).isEmpty)
    #expect(warnings([("cat|pet", 5), ("dog|pet", 5)]).contains("several classes"))
    #expect(warnings([("a|b", 5), ("c|d", 5)]).isEmpty)
    var tally = DatasetTally()
    for split in ["train", "0"] {
      for label in ["train", "images"] { tally.add(label: label, split: split, samples: 9) }
    }
    // Labels of a table are what they are; splits of other names are trained on.
    #expect(tally.warnings.count == 1 && tally.warnings[0].contains("unusual names: \"0\""))
  }

  @Test("COCO: ids as texts and fractions; Roboflow's folders of splits")
  func coco() throws {
    let json =
      #"{"images": [{"id": "u-1", "file_name": "c0.jpg"}, {"id": 2.0, "file_name": "d0.jpg"}], "annotations": [{"image_id": "u-1", "category_id": "1"}, {"image_id": 2, "category_id": 2.0}], "categories": [{"id": 1, "name": "cat"}, {"id": "2", "name": "dog"}]}"#
    #expect(try labels(folder.write("img/x.json", json)) == ["cat", "dog"])
    for split in ["train", "valid", "test"] {
      for name in ["c0.jpg", "d0.jpg"] { try folder.write("rf/\(split)/\(name)") }
      try folder.write("rf/\(split)/_annotations.coco.json", json)
    }
    let read = try samples("\(folder.path)/rf")
    #expect(read.map(\.split) == ["test", "test", "train", "train", "val", "val"])
    #expect(Set(read.map(\.key)).count == 6)
  }
}
