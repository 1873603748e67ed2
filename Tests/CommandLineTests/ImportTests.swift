import Foundation
import Testing

/// The messages of `import`, and the things that it leaves alone.
@Suite("Import") struct ImportCommandTests {
  private func images(_ cleannet: Program, _ paths: [String]) throws {
    for (number, path) in paths.enumerated() {
      let url = cleannet.folder.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data([UInt8(truncatingIfNeeded: number)]).write(to: url)
    }
  }

  @Test("guesses are told: splits and classes with counts, the level of the classes, oddities")
  func says() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(
      cleannet, ["set/train/cat/1.jpg", "set/train/dog/2.jpg", "set/train/dog/3.jpg", "set/Test/nan/4.jpg"])
    let result = try await cleannet.succeed("import", "set")
    #expect(result.output.contains("splits: test 1, train 3"))
    #expect(result.output.contains("classes: nan 1, cat 1, dog 2"))
    #expect(result.output.contains("class: the folders in train/"))
    #expect(result.errors.contains("missing labels: \"nan\""))
    let json = try await cleannet.succeed("import", "set", "--dry-run", "--json").json()
    #expect(json["images"] as? Int == 4 && json["classes"] as? Int == 3)
    #expect((json["guesses"] as? [String])?.isEmpty == false)
  }

  @Test("a dry run reads all and keeps nothing")
  func dryRun() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(cleannet, ["set/cat/1.jpg", "set/dog/2.jpg"])
    let result = try await cleannet.succeed("import", "set", "--dry-run")
    #expect(result.output.contains("2 images (image-folder) of 2 classes; nothing was imported."))
    #expect(!FileManager.default.fileExists(atPath: cleannet.folder.appendingPathComponent("w").path))
    try cleannet.write("bad.csv", "path,label\nset/cat/1.jpg,\n")
    #expect(try await cleannet("import", "bad.csv", "--dry-run").status == 65)
  }

  @Test(
    "tables that name their images alike get their folders before the keys; other images are no second import"
  )
  func sameNames() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    for number in 0..<3 {
      try images(cleannet, ["gt/\(number)/0.ppm", "gt/\(number)/1.ppm"])
      try cleannet.write(
        "gt/\(number)/GT.csv", "Filename;Width;ClassId\n0.ppm;5;\(number)\n1.ppm;5;\(number)\n")
    }
    let files = (0..<3).map { "gt/\($0)/GT.csv" }
    let all = try await cleannet.succeed(["import"] + files + ["--json"]).json()
    #expect(all["images"] as? Int == 6 && all["classes"] as? Int == 3)
    let table = try await cleannet.succeed("verify", "export", "--unverified", "9").output
    #expect(table.contains("2/1.ppm"))
    // One after the other: the message tells the way.
    try await cleannet.succeed("import", files[0], "-w", "one")
    let second = try await cleannet("import", files[1], "-w", "one")
    #expect(second.status == 65 && !second.errors.contains("already imported"))
    #expect(second.errors.contains("--key-prefix"))
    try await cleannet.succeed("import", files[1], "-w", "one", "--key-prefix", "1/")
    let again = try await cleannet.succeed("import", files[1], "-w", "one", "--key-prefix", "1/").output
    #expect(again.contains("nothing new"), "\(again)")
  }

  @Test("sources named like splits are those splits, several at once; of one alone it is said")
  func namedSplits() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(
      cleannet,
      ["set/train/cat/1.jpg", "set/train/dog/1.jpg", "set/Testing/cat/1.jpg", "set/Testing/dog/1.jpg"])
    let both = try await cleannet.succeed("import", "set/train", "set/Testing", "-w", "both")
    #expect(both.output.contains("splits: train 2, test 2") && both.output.contains("by its name"))
    let again = try await cleannet.succeed("import", "--update", "-w", "both").output
    #expect(again.contains("nothing new"))
    let one = try await cleannet.succeed("import", "set/Testing", "-w", "one")
    #expect(one.output.contains("splits: train 2") && one.errors.contains("--split test"))
    try await cleannet.succeed("import", "set/Testing", "-w", "one", "--split", "test", "--dry-run")
    try cleannet.write("train.csv", "path,label,split\nset/train/cat/1.jpg,cat,val\n")
    try cleannet.write("test.csv", "path,label,split\nset/train/dog/1.jpg,dog,val\n")
    let told = try await cleannet.succeed("import", "train.csv", "test.csv", "-w", "told").output
    #expect(told.contains("splits: val 2"))
  }

  @Test("options that none of the sources can follow are refused")
  func idleOptions() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(cleannet, ["set/cat/1.jpg", "set/dog/2.jpg"])
    try cleannet.write("t.csv", "path,tier\nset/cat/1.jpg,cat\nset/dog/2.jpg,dog\n")
    for wrong in [
      ["set", "--label-column", "x"], ["set", "--root", "."], ["t.csv", "--class-level", "1"],
      ["t.csv", "--label-pattern", "{label}.*"],
    ] {
      let result = try await cleannet("import", wrong[0], wrong[1], wrong[2], "--dry-run")
      #expect(result.status == 65 && result.errors.contains("no effect"), "\(wrong)")
    }
    try await cleannet.succeed("import", "t.csv", "set", "--label-column", "tier", "--dry-run")
  }

  @Test("options that make no sense are wrong usage")
  func usage() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(cleannet, ["set/cat/1.jpg", "set/dog/2.jpg"])
    #expect(try await cleannet("import", "set", "--class-level", "0").status == 64)
    #expect(try await cleannet("import", "set", "--path-prefix", "x").status == 64)
  }

  @Test("voices of a file that disagree are kept and named")
  func voices() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(cleannet, ["set/cat/1.jpg", "set/cat/2.jpg", "set/dog/3.jpg"])
    try await cleannet.succeed("import", "set")
    try cleannet.write(
      "v.csv",
      "key,verification,annotator\ncat/1.jpg,1.0,ann\ncat/1.jpg,0.0,bob\ncat/2.jpg,TRUE,\ncat/2.jpg,TRUE,\n")
    let taken = try await cleannet.succeed("verify", "import", "v.csv", "--json")
    let json = try taken.json()
    #expect(json["right"] as? Int == 2 && json["wrong"] as? Int == 1)
    #expect(json["disputed"] as? [String] == ["cat/1.jpg"])
    #expect(taken.errors.contains("cat/1.jpg") && taken.errors.contains("differ"))
    let back = try await cleannet.succeed("export", "verdicts").output
    #expect(back.contains("cat/2.jpg,cat/2.jpg,cat,1"))
  }
}

/// `export`, one verb a kind.
@Suite("Export verbs") struct ExportVerbTests {
  private func workspace() async throws -> Program {
    let cleannet = try Program()
    try cleannet.write(
      "t.tsv", (0..<6).map { "k\($0)\t\($0 % 2 == 0 ? "cat" : "dog")\t1\t\($0),2,3,4\n" }.joined())
    try await cleannet.succeed("import", "t.tsv")
    return cleannet
  }

  @Test("options that would do nothing are errors, in the new spelling and the old one")
  func idleOptions() async throws {
    let cleannet = try await workspace()
    defer { cleannet.remove() }
    for arguments in [
      ["scores", "--wrong", "keep"], ["--format", "csv", "--wrong", "keep"],
      ["--out", "s.csv", "--shard-size", "5"],
      ["scores", "--out", "x.json"], ["--out", "x.json"], ["scores", "--out", "clean/"],
      ["weights", "--out", "w.npz", "--weights", "hard"], ["--out", "w.npy", "--images", "copy"],
      ["dataset", "--format", "image-folder", "--shard-size", "5", "--out", "o"],
      ["dataset", "--format", "manifest", "--images", "copy", "--out", "o.csv"],
      ["dataset", "--format", "tar", "--images", "symlink", "--out", "o.tar"],
      ["dataset", "--format", "nope", "--out", "o"], ["dataset", "--without", "noise", "--out", "o"],
      ["weights", "--out", "w.pt"], ["--format", "csv", "--without", "leaks"],
    ] {
      let outcome = try await cleannet.run(["export"] + arguments)
      #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
    }
  }

  @Test("options that would do nothing are errors of other verbs, too")
  func idleElsewhere() async throws {
    let cleannet = try await workspace()
    defer { cleannet.remove() }
    try cleannet.write("one.png", "")
    for arguments in [
      ["classify", "train", "--epochs", "3"], ["classify", "train", "--backbone", "resnet18"],
      ["classify", "compare", "--truth", "t", "--crop", "0.5"],
      ["classify", "train", "--weights", "none", "--relabel", "0.9"],
      ["classify", "train", "--truth", "t"], ["score", "--seed", "1"], ["status", "--seed", "1"],
      ["judge", "one.png", "--label-column", "label"],
      ["judge", "one.png", "--shard", "1/2", "--out", "parts"],
      ["judge", "-", "--split", "train"],
    ] {
      let outcome = try await cleannet.run(arguments)
      #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
    }
  }

  @Test("verbs and the old spelling write the same")
  func spellings() async throws {
    let cleannet = try await workspace()
    defer { cleannet.remove() }
    try await cleannet.succeed(
      "export", "dataset", "--format", "manifest", "--wrong", "keep", "--out", "new.csv")
    try await cleannet.succeed("export", "--format", "manifest", "--wrong", "keep", "--out", "old.csv")
    #expect(try cleannet.read("new.csv") == cleannet.read("old.csv"))
    try await cleannet.succeed("export", "verdicts", "--out", "v.csv")
    try await cleannet.succeed("verify", "export", "w.csv")
    #expect(try cleannet.read("v.csv") == cleannet.read("w.csv"))
    #expect(try await cleannet("export", "scores").errors.contains("cleannet score"))
  }

  /// A grey image of blocks whose brightness follows from a number.
  private func picture(_ seed: Int) -> Data {
    var state = UInt64(seed &* 2 &+ 1) &* 0x9E37_79B9_7F4A_7C15
    let blocks = (0..<64).map { _ -> UInt8 in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state >> 24)
    }
    let pixels = (0..<64 * 64).map { (pixel: Int) -> UInt8 in
      let row = pixel / 64 / 8
      let column = pixel % 64 / 8
      return blocks[row * 8 + column]
    }
    return Data("P5\n64 64\n255\n".utf8) + Data(pixels)
  }

  @Test("a data set without duplicates and leaks keeps the test images, and one of the rest")
  func without() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    for (path, seed) in [
      ("train/cat/1.pgm", 1), ("train/cat/2.pgm", 2), ("train/cat/1 again.pgm", 1), ("train/dog/3.pgm", 3),
      ("train/dog/4.pgm", 4), ("test/dog/4.pgm", 4), ("test/cat/5.pgm", 5),
    ] {
      let url = cleannet.folder.appendingPathComponent("set/\(path)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try picture(seed).write(to: url)
    }
    try await cleannet.succeed("import", "set")
    func keys(_ without: String, _ out: String) async throws -> [String] {
      try await cleannet.succeed(
        "export", "dataset", "--format", "manifest", "--wrong", "keep", "--without", without, "--out", out)
      return try cleannet.read(out).split(separator: "\n").dropFirst().map {
        String($0.split(separator: ",")[0])
      }.sorted()
    }
    let all = try await keys("duplicates,leaks", "both.csv")
    #expect(all.count == 5)
    #expect(all.contains("test/dog/4.pgm") && !all.contains("train/dog/4.pgm"))
    #expect(try await keys("leaks", "leaks.csv").count == 6)
    #expect(try await keys("duplicates", "copies.csv").count == 6)
  }
}
