import Foundation
import Testing

@testable import Datasets

/// Data sets laid out as their owners publish them.
@Suite("Published layouts")
struct LayoutTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func format() throws -> String { try DatasetReader.open(source: folder.path).formatName }

  @Test("Food-101: train and test lists without .jpg")
  func food101() throws {
    for name in ["apple_pie/1005649", "apple_pie/134", "baby_back_ribs/7"] {
      try folder.write("images/\(name).jpg")
    }
    try folder.write("meta/classes.txt", "apple_pie\nbaby_back_ribs\n")
    try folder.write("meta/labels.txt", "Apple pie\nBaby back ribs\n")
    try folder.write("meta/train.txt", "apple_pie/1005649\r\nbaby_back_ribs/7\r\n")
    try folder.write("meta/test.txt", "apple_pie/134")
    #expect(try format() == "food-101")
    let read = try samples(folder.path)
    #expect(read.map(\.key) == ["apple_pie/1005649.jpg", "baby_back_ribs/7.jpg", "apple_pie/134.jpg"])
    #expect(read.map(\.label) == ["apple_pie", "baby_back_ribs", "apple_pie"])
    #expect(read.map(\.split) == ["train", "train", "test"])
    #expect(read[2].location == .file("\(folder.path)/images/apple_pie/134.jpg"))
    #expect(read.map(\.line) == [1, 2, 1])
    try folder.write("meta/test.txt", "apple_pie\nwaffle/1\n")
    let problems = try problems(folder.path)
    #expect(problems.first.map(\.line) == [1, 2])
    #expect(problems.description.contains("\"waffle\""))
  }

  @Test("Food-101N: verified lists with and without header, held-out classes", arguments: [true, false])
  func food101N(header: Bool) throws {
    for name in ["a b/1", "a b/2", "c/3", "c/4"] { try folder.write("images/\(name).jpg") }
    let (listHeader, tableHeader) =
      header ? ("class_name/key\n", "class_name/key\tverification_label\n") : ("", "")
    try folder.write("meta/imagelist.tsv", listHeader + "a b/1.jpg\na b/2.jpg\nc/3.jpg\nc/4.jpg\n")
    try folder.write("meta/verified_train.tsv", tableHeader + "a b/1.jpg\t1\nc/3.jpg\t0\n")
    try folder.write("meta/verified_val.tsv", tableHeader + "c/4.jpg\t1\nc/gone.jpg\t0\n")
    try folder.write("meta/classes_heldout_10.txt", "a b\t1\nc\t0\n")
    try folder.write("meta/classes_heldout_30.txt", "a b\t0\nc\t0\n")
    #expect(try format() == "food-101n")
    let read = try samples(folder.path)
    #expect(read.map(\.key) == ["a b/1.jpg", "a b/2.jpg", "c/3.jpg", "c/4.jpg"])
    #expect(read.map(\.verification) == [true, nil, false, true])
    #expect(read.map { $0.attribute("verified_in") } == ["train", nil, "train", "val"])
    #expect(read.map { $0.attribute("held_out") } == ["30", "30", "10 30", "10 30"])
    let summary = try DatasetReader.open(source: folder.path).read { _ in }
    #expect(summary.notices.count == 1)
    #expect(summary.notices[0].contains("c/gone.jpg"))
    try folder.write("meta/verified_train.tsv", "a b/1.jpg\tyes\na b/1.jpg\n")
    #expect(try problems(folder.path).first.map(\.line) == [1, 2])
  }

  @Test(
    "Clothing1M: commas in names; right is where both labels are equal; test images carry the clean label")
  func clothing() throws {
    let names = ["7/88/339645240,2782721788", "0/0/1,2", "0/0/3,4", "1/1/5,6", "1/1/7,8"].map {
      "images/\($0).jpg"
    }
    for name in names { try folder.write(name) }
    try folder.write("noisy_label_kv.txt", "\(names[0]) 0\n\(names[1]) 1\n\(names[2]) 1\n\(names[3]) 0\n")
    try folder.write("clean_label_kv.txt", "\(names[4]) 1\n\(names[1]) 1\n\(names[2]) 0\n\(names[3]) 1\n")
    try folder.write("noisy_train_key_list.txt", "\(names[0])\n")
    try folder.write("clean_train_key_list.txt", "\(names[1])\n\(names[4])\n")
    try folder.write("clean_val_key_list.txt", "\(names[2])\n")
    try folder.write("clean_test_key_list.txt", "\(names[3])\n")
    try folder.write("category_names_eng.txt", "T-Shirt\nShirt\n")
    #expect(try format() == "clothing1m")
    let read = try samples(folder.path)
    #expect(read.map(\.path) == names)
    #expect(read.map(\.label) == ["T-Shirt", "Shirt", "Shirt", "Shirt", "Shirt"])
    #expect(read.map(\.split) == ["train", "train", "val", "test", "train"])
    #expect(read.map(\.verification) == [nil, true, false, nil, nil])
    #expect(read.map { $0.attribute("clean_label") } == [nil, "Shirt", "T-Shirt", "Shirt", "Shirt"])
    #expect(read[3].attribute("noisy_label") == "T-Shirt")
    try folder.write("noisy_label_kv.txt", "\(names[0]) 2\n\(names[1])\n")
    #expect(try problems(folder.path).first.map(\.line) == [1, 2])
  }

  @Test("WebVision: lists of both origins, validation images in a folder of their own")
  func webVision() throws {
    for name in ["google/q0001/x.jpg", "flickr/q0002/y z.jpg", "val_images_256/val000001.jpg"] {
      try folder.write(name)
    }
    try folder.write("info/train_filelist_google.txt", "google/q0001/x.jpg 0\n")
    try folder.write("info/train_filelist_flickr.txt", "flickr/q0002/y z.jpg 1\n")
    try folder.write("info/val_filelist.txt", "val000001.jpg 1\n")
    try folder.write(
      "info/synsets.txt", "n01440764 tench, Tinca tinca\nn01443537 goldfish, Carassius auratus\n")
    #expect(try format() == "webvision")
    let read = try samples(folder.path)
    #expect(
      read.map(\.path) == ["google/q0001/x.jpg", "flickr/q0002/y z.jpg", "val_images_256/val000001.jpg"])
    #expect(
      read.map(\.label) == [
        "n01440764 tench, Tinca tinca", "n01443537 goldfish, Carassius auratus",
        "n01443537 goldfish, Carassius auratus",
      ])
    #expect(read.map(\.split) == ["train", "train", "test"])
    #expect(read.map { $0.attribute("origin") } == ["google", "flickr", nil])
  }

  /// Packs files into a tar with GNU tar, in the order given.
  private func tar(_ name: String, _ files: [(String, String)]) async throws {
    for (file, text) in files { try folder.write("content/\(file)", text) }
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/shards", withIntermediateDirectories: true)
    try await folder.run("tar", ["-C", "content", "-cf", "shards/\(name)"] + files.map(\.0))
  }

  @Test("WebDataset: a shard, a folder of them, a range, a pattern")
  func webDataset() async throws {
    try await tar(
      "val-000000.tar",
      [("0001.jpg", "one"), ("0001.cls", "1\n"), ("a/0002.seg.png", "two"), ("a/0002.cls", "0")])
    try await tar(
      "x-000001.tar",
      [
        (
          "9.json",
          #"{"label": "dög", "verification": 1, "width": 7, "caption": null, "split": "test", "key": "k9"}"#
        ),
        ("9.jpg", "nine"), ("10.txt", "no image"), ("11.webp", "eleven"), ("11.cls", "cat"),
      ])
    let shards = "\(folder.path)/shards"
    let read = try samples(shards) { $0.classNames = ["cat", "dog"] }
    #expect(try DatasetReader.open(source: shards).formatName == "webdataset")
    #expect(read.map(\.label) == ["dog", "cat", "dög", "cat"])
    #expect(
      read.map(\.key) == [
        "val-000000.tar/0001.jpg", "val-000000.tar/a/0002.seg.png", "k9", "x-000001.tar/11.webp",
      ])
    #expect(read.map(\.split) == ["val", "val", "test", "train"])
    #expect(read.map(\.verification) == [nil, nil, true, nil])
    #expect(read[2].attributes == [SampleAttribute(name: "width", value: "7")])
    #expect(
      try read.map { String(decoding: try ImageBytes().read($0.location, key: ""), as: UTF8.self) } == [
        "one", "two", "nine", "eleven",
      ])
    #expect(try samples("\(shards)/val-000000.tar").map(\.label) == ["1", "0"])
    #expect(try samples("\(shards)/{val-000000,x-000001}.tar").count == 4)
    #expect(try samples("\(shards)/*-00000[01].tar").count == 4)
    #expect(try samples("\(shards)/x-{000001..000001}.tar").map(\.key) == ["k9", "x-000001.tar/11.webp"])
    #expect(try problems("\(shards)/x-{000001..000003}.tar").description.contains("x-000002.tar"))
    #expect(try problems("\(shards)/y*.tar").description.contains("matches no file"))
    let tooFew = try problems("\(shards)/val-000000.tar") { $0.classNames = ["cat"] }
    #expect(tooFew.first.map { $0.file.hasSuffix("val-000000.tar/0001") } == [true])
  }

  @Test("class folders stay an image folder, whatever shards lie beside them")
  func shardsBesideFolders() async throws {
    try await tar("x-0.tar", [("1.jpg", "x"), ("1.cls", "0")])
    try folder.write("shards/cat/1.jpg")
    #expect(try DatasetReader.open(source: "\(folder.path)/shards").formatName == "image-folder")
  }

  @Test("a tar file of class folders is no WebDataset; a sole split keeps its name")
  func plainTar() async throws {
    try await tar("set.tar", [("test/cat/1.jpg", "x"), ("test/dog/2.jpg", "y")])
    #expect(try DatasetReader.open(source: "\(folder.path)/shards/set.tar").formatName == "tar")
    #expect(try samples("\(folder.path)/shards/set.tar").map(\.split) == ["test", "test"])
  }

  @Test("zip: deflated images are unpacked when they are read; damage is noticed")
  func deflatedZip() throws {
    let bytes = Array(try #require(Data(base64Encoded: Self.deflatedZip)))
    let path = try folder.write("set.zip", bytes)
    func contents(_ path: String) throws -> [[UInt8]] {
      try samples(path) { $0.format = "zip" }.map { sample in
        // The place survives the catalogue.
        #expect(ImageLocation(encoded: sample.location.encoded) == sample.location)
        return try ImageBytes().read(sample.location, key: sample.key)
      }
    }
    let whole = try contents(path)
    #expect(try samples(path).map(\.path) == ["cat/é 1.jpg", "dog/2.jpg", "dog/3.jpg"])
    #expect(
      whole.map { String(decoding: $0, as: UTF8.self) }
        == [String(repeating: "first ", count: 40), "", "stored"])
    for position in bytes.indices {
      var damaged = bytes
      damaged[position] ^= 0xFF
      _ = try? contents(try folder.write("damaged.zip", damaged))
    }
    // One flipped bit of the list is told, or changes nothing that is read: never fewer images, or others, without a word.
    let keys = try samples(path).map(\.key)
    let list = try #require(bytes.firstRange(of: [0x50, 0x4B, 1, 2])).lowerBound
    for bit in (8 * list)..<(8 * bytes.count) {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      let file = try folder.write("bit.zip", damaged)
      guard let found = try? contents(file) else { continue }
      #expect(try found == whole && samples(file).map(\.key) == keys, "bit \(bit - 8 * list) of the list")
    }
    // A list that promises more, or less, than there is.
    for wrong in [239, 241] as [UInt8] {
      var damaged = bytes
      let place = try #require(bytes.lastRange(of: [0xF0, 0, 0, 0])).lowerBound
      damaged[place] = wrong
      let file = try folder.write("wrong.zip", damaged)
      #expect { try contents(file) } throws: { "\($0)".contains("unzip -t") }
    }
  }

  @Test("zip: stored images are read where they lie; those packed by rare methods are refused by name")
  func zip() throws {
    // Python: z = zipfile.ZipFile(f, "w"); z.writestr("set/cat/é 1.jpg", b"first"); z.writestr("set/dog/2.jpg", b"2nd");
    // z.writestr(zipfile.ZipInfo("set/readme.txt"), b"x" * 9, compress_type=zipfile.ZIP_DEFLATED)
    let stored = try #require(Data(base64Encoded: Self.storedZip))
    let path = try folder.write("set.zip", Array(stored))
    #expect(try DatasetReader.open(source: path).formatName == "zip")
    let read = try samples(path)
    #expect(read.map(\.path) == ["cat/é 1.jpg", "dog/2.jpg"])
    #expect(
      try read.map { String(decoding: try ImageBytes().read($0.location, key: ""), as: UTF8.self) } == [
        "first", "2nd",
      ])
    let list = try folder.write("list.csv", "path,label\nset/cat/é 1.jpg,x\n")
    #expect(try samples(list) { $0.root = path }.map(\.location) == [read[0].location])
    let bzipped = try #require(Data(base64Encoded: Self.bzippedZip))
    let other = try folder.write("bzipped.zip", Array(bzipped))
    #expect(
      try problems(other).description.contains("2 images that are encrypted or packed by a rare method"))
    let cut = try folder.write("cut.zip", Array(stored.dropLast(30)))
    #expect(try problems(cut).description.contains("list of members is missing"))
    for position in stored.indices {
      // Whatever byte is damaged, reading ends with samples or with problems.
      var damaged = Array(stored)
      damaged[position] ^= 0xFF
      _ = try? samples(try folder.write("damaged.zip", damaged), { $0.format = "zip" })
    }
  }

  @Test("COCO: a folder with annotations/ is read as a whole, though its parts name images alike")
  func cocoFolder() throws {
    for part in ["train2017", "val2017"] {
      try folder.write("set/\(part)/1.jpg")
      try folder.write(
        "set/annotations/instances_\(part).json",
        #"{"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": [{"image_id": 1, "category_id": 1}], "#
          + #""categories": [{"id": 1, "name": "cat"}]}"#)
      try folder.write("set/annotations/captions_\(part).json", "{}")
    }
    #expect(try DatasetReader.open(source: "\(folder.path)/set").formatName == "coco")
    let read = try samples("\(folder.path)/set")
    #expect(read.map(\.key) == ["train2017/1.jpg", "val2017/1.jpg"])
    #expect(read.map(\.split) == ["train", "val"])
    #expect(read.map(\.location) == read.map { .file("\(folder.path)/set/\($0.key)") })
  }

  @Test("COCO: one category per image; images with several or none are counted")
  func coco() throws {
    for name in ["a.jpg", "b é.jpg", "c.jpg", "d.jpg"] { try folder.write("val2017/\(name)") }
    let path = try folder.write(
      "annotations/instances_val2017.json",
      #"""
      {"info": {"year": 2017}, "images": [{"id": 5, "file_name": "a.jpg", "license": {"x": [1]}}, {"id": 6, "file_name": "b é.jpg"},
       {"id": 7, "file_name": "c.jpg"}, {"id": 8, "file_name": "d.jpg"}],
       "annotations": [{"image_id": 5, "category_id": 3, "bbox": [1, 2.5, 3, 4e1]}, {"image_id": 5, "category_id": 3},
       {"image_id": 6, "category_id": 9}, {"image_id": 7, "category_id": 9}, {"image_id": 7, "category_id": 3}],
       "categories": [{"id": 3, "name": "cat"}, {"id": 9, "name": "dog"}]}
      """#)
    #expect(try DatasetReader.open(source: path).formatName == "coco")
    let read = try samples(path)
    #expect(read.map(\.key) == ["a.jpg", "b é.jpg"])
    #expect(read.map(\.label) == ["cat", "dog"])
    #expect(read.map(\.split) == ["val", "val"])
    #expect(read[0].location == .file("\(folder.path)/val2017/a.jpg"))
    #expect(try DatasetReader.open(source: path).read { _ in }.notices.count == 2)
    let bad = try folder.write(
      "x.json", "{\"images\": [],\n\"annotations\": [{\"image_id\": 1, \"category_id\": 1}, {}]}")
    #expect(try problems(bad).count == 2)
    let cut = try folder.write("y.json", "{\"images\": [],\n\"annotations\": [{\"image_id\": 1,")
    #expect(try problems(cut).first.map(\.line) == [2])
  }

  @Test("LabelMe: the flag that is true, else the label of all shapes")
  func labelMe() throws {
    for name in ["1", "2", "3", "4"] { try folder.write("set/\(name).jpg") }
    try folder.write(
      "set/1.json",
      #"{"version": "5", "flags": {"cat": false, "dog": true}, "shapes": [{"label": "ear"}], "imagePath": "1.jpg"}"#
    )
    try folder.write(
      "set/2.json",
      #"{"version": "5", "flags": {}, "shapes": [{"label": "cat", "points": [[1, 2]]}, {"label": "cat"}], "imagePath": "..\\x\\2.jpg"}"#
    )
    try folder.write(
      "set/3.json",
      #"{"version": "5", "flags": {}, "shapes": [{"label": "cat"}, {"label": "dog"}], "imagePath": "3.jpg"}"#)
    #expect(try format() == "labelme")
    let read = try samples(folder.path)
    #expect(read.map(\.path) == ["set/1.jpg", "set/2.jpg"])
    #expect(read.map(\.label) == ["dog", "cat"])
    try folder.write("set/4.json", "{\"flags\": {},")
    #expect(try problems(folder.path).description.contains("4.json"))
  }

  @Test(
    "the CleanNet release's table: with and without address and verification",
    arguments: [
      ("k1\tcat\t0.5,1,-2e-3,4\nk2\tdog\t1,2,3,4\n", [nil, nil], nil),
      ("k1\tcat\t1\t0.5,1,-2e-3,4\nk2\tdog\t\t1,2,3,4\n", [true, nil], nil),
      ("k1\thttp://x/1\tcat\t0.5,1,-2e-3,4\nk2\t\tdog\t1,2,3,4\n", [nil, nil], "http://x/1"),
      (
        "k1\thttp://x/1\tcat\t0\t0.5,1,-2e-3,4\nk2\thttp://x/2\tdog\t-1\t1,2,3,4\n", [false, nil],
        "http://x/1"
      ),
    ] as [(String, [Bool?], String?)])
  func cleanNet(text: String, verification: [Bool?], url: String?) throws {
    let path = try folder.write("train.tsv", text)
    let dataset = try DatasetReader.open(source: path)
    #expect(dataset.formatName == "cleannet-tsv")
    let read = try samples(path)
    #expect(read.map(\.key) == ["k1", "k2"])
    #expect(read.map(\.label) == ["cat", "dog"])
    #expect(read.map(\.verification) == verification)
    #expect(read[0].attribute("url") == url)
    var rows: [[Float]] = []
    try dataset.features?.readFeatures { rows.append(Array($0)) }
    #expect(rows == [[0.5, 1, -0.002, 4], [1, 2, 3, 4]])
    let bad = try folder.write("bad.tsv", "k1\tcat\t1,2,3,4\nk2\tcat\t1,2,3\nk3\tcat\t1,x,3,4\nk4\tcat\n")
    let badSet = try DatasetReader.open(source: bad)
    #expect { try badSet.features?.readFeatures { _ in } } throws: { error in
      (error as? DatasetProblems)?.first.map(\.line) == [2, 3, 4]
    }
  }

  private static let storedZip =
    "UEsDBBQAAAgAAEaqeF1X7nGSBQAAAAUAAAAQAAAAc2V0L2NhdC/DqSAxLmpwZ2ZpcnN0UEsDBBQAAAAAAEaqeF2ECw"
    + "9pAwAAAAMAAAANAAAAc2V0L2RvZy8yLmpwZzJuZFBLAwQUAAAACAAAACEAw/7CbgUAAAAJAAAADgAAAHNldC9yZWFk"
    + "bWUudHh0q6iAAgBQSwECFAMUAAAIAABGqnhdV+5xkgUAAAAFAAAAEAAAAAAAAAAAAAAAgAEAAAAAc2V0L2NhdC/DqS"
    + "AxLmpwZ1BLAQIUAxQAAAAAAEaqeF2ECw9pAwAAAAMAAAANAAAAAAAAAAAAAACAATMAAABzZXQvZG9nLzIuanBnUEsB"
    + "AhQDFAAAAAgAAAAhAMP+wm4FAAAACQAAAA4AAAAAAAAAAAAAAIABYQAAAHNldC9yZWFkbWUudHh0UEsFBgAAAAADAA"
    + "MAtQAAAJIAAAAAAA=="
  // Python: zipfile.ZipFile(f, "w", zipfile.ZIP_DEFLATED): "set/cat/é 1.jpg" ("first " 40 times), an empty
  // "set/dog/2.jpg", and a stored "set/dog/3.jpg".
  private static let deflatedZip =
    "UEsDBBQAAAgIADQWeV3Pvg9tCwAAAPAAAAAQAAAAc2V0L2NhdC/DqSAxLmpwZ0vLLCouUUgbMSQAUEsDBBQAAAAIADQW"
    + "eV0AAAAAAgAAAAAAAAANAAAAc2V0L2RvZy8yLmpwZwMAUEsDBBQAAAAAAAAAIQAL+UNWBgAAAAYAAAANAAAAc2V0L2Rv"
    + "Zy8zLmpwZ3N0b3JlZFBLAQIUAxQAAAgIADQWeV3Pvg9tCwAAAPAAAAAQAAAAAAAAAAAAAACAAQAAAABzZXQvY2F0L8Op"
    + "IDEuanBnUEsBAhQDFAAAAAgANBZ5XQAAAAACAAAAAAAAAA0AAAAAAAAAAAAAAIABOQAAAHNldC9kb2cvMi5qcGdQSwEC"
    + "FAMUAAAAAAAAACEAC/lDVgYAAAAGAAAADQAAAAAAAAAAAAAAgAFmAAAAc2V0L2RvZy8zLmpwZ1BLBQYAAAAAAwADALQA"
    + "AACXAAAAAAA="
  // Packed with ZIP_BZIP2: cat/1.jpg and dog/2.jpg.
  private static let bzippedZip =
    "UEsDBC4AAAAMADQWeV15aFaEJwAAADwAAAAJAAAAY2F0LzEuanBnQlpoOTFBWSZTWSMP+0oAAAIIgABAAEAgACEAggsX"
    + "ckU4UJAjD/tKUEsDBC4AAAAMADQWeV0VJtv7JQAAAAEAAAAJAAAAZG9nLzIuanBnQlpoOTFBWSZTWXOKraMAAAAAgAAg"
    + "IAAhGEaC7kinChIOcVW0YFBLAQIuAy4AAAAMADQWeV15aFaEJwAAADwAAAAJAAAAAAAAAAAAAACAAQAAAABjYXQvMS5q"
    + "cGdQSwECLgMuAAAADAA0FnldFSbb+yUAAAABAAAACQAAAAAAAAAAAAAAgAFOAAAAZG9nLzIuanBnUEsFBgAAAAACAAIA"
    + "bgAAAJoAAAAAAA=="
}
