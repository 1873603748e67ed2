import Foundation
import Testing

/// Data sets in and verdicts out, by the options of the command line.
@Suite("Formats") struct FormatTests {
  private func images(_ cleannet: Program, _ paths: String...) throws {
    for path in paths {
      let url = cleannet.folder.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data([1]).write(to: url)
    }
  }

  @Test("several sources meet by a map of labels")
  func labelMap() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(cleannet, "one/katze/1.jpg", "one/dog/2.jpg", "two/cat/3.jpg")
    try cleannet.write("map.csv", "katze,cat\n")
    let result = try await cleannet.succeed("import", "one", "two", "--label-map", "map.csv", "--json").json()
    #expect(result["images"] as? Int == 3)
    #expect(result["classes"] as? Int == 2)
    #expect(result["format"] as? String == "image-folder")
  }

  @Test("an unreadable source leaves no workspace behind; sources read before it stay")
  func noWorkspace() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(cleannet, "one/cat/1.jpg", "one/Cat/2.jpg", "two/dog/3.jpg")
    try cleannet.write("bad.csv", "path,label\none/cat/1.jpg,\n")
    #expect(try await cleannet("import", "bad.csv").status == 65)
    #expect(!FileManager.default.fileExists(atPath: cleannet.folder.appendingPathComponent("w").path))
    // A folder with something else in it is not removed.
    try images(cleannet, "w/mine.jpg")
    #expect(try await cleannet("import", "bad.csv").status == 65)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: cleannet.folder.appendingPathComponent("w").path)
        == ["mine.jpg"])
    let both = try await cleannet("import", "one", "bad.csv")
    #expect(both.status == 65 && both.errors.contains("one is in the workspace already"))
    #expect(both.errors.contains("\"Cat\", \"cat\""))
    #expect(try await cleannet.succeed("status", "--json").json()["images"] as? Int == 2)
  }

  @Test("a truth column whose values are no classes is refused, not taken for wrong labels")
  func truth() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(cleannet, "1.jpg", "2.jpg")
    try cleannet.write("names.txt", "cat\ndog\n")
    try cleannet.write("list.csv", "path,label,truth\n1.jpg,0,0\n2.jpg,1,0\n")
    try await cleannet.succeed("import", "list.csv", "--class-names", "names.txt")
    let refused = try await cleannet(
      "verify", "simulate", "--truth", "truth", "--classes", "2", "--per-class", "1")
    #expect(refused.status == 65 && refused.errors.contains("--truth-columns truth"))
    try await cleannet.succeed(
      "import", "list.csv", "--class-names", "names.txt", "--truth-columns", "truth", "-w", "other")
    let answered = try await cleannet.succeed(
      "verify", "simulate", "--truth", "truth", "--classes", "2", "--per-class", "1", "-w", "other", "--json"
    ).json()
    #expect(answered["right"] as? Int == 1 && answered["wrong"] as? Int == 1)
  }

  @Test("images that a format has no place for are not counted as written")
  func leftOut() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(cleannet, "set/train/cat/1.jpg", "set/train/dog/2.jpg", "set/test/cat/3.jpg")
    try await cleannet.succeed("import", "set")
    let written = try await cleannet.succeed(
      "export", "--format", "food-101n", "--wrong", "keep", "--out", "out", "--json"
    ).json()
    #expect(written["written"] as? Int == 2 && written["dropped"] as? Int == 1)
  }

  @Test("a table with features as text needs no images")
  func textFeatures() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try cleannet.write("t.tsv", "a\tcat\t1\t1,2,3,4\nb\tdog\t0\t5,6,7,8\n")
    #expect(
      try await cleannet.succeed("import", "t.tsv", "--json").json()["format"] as? String == "cleannet-tsv")
    try await cleannet.succeed("verify", "export", "v.tsv", "--format", "food-101n")
    #expect(try cleannet.read("v.tsv") == "class_name/key\tverification_label\ncat/a\t1\ndog/b\t0\n")
    let again = try await cleannet.succeed("verify", "import", "v.tsv", "--json").json()
    #expect(again["right"] as? Int == 1 && again["wrong"] as? Int == 1)
  }

  @Test("options that do not fit together are wrong usage")
  func usage() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    #expect(try await cleannet("export", "--format", "nope", "--out", "x").status == 64)
    #expect(try await cleannet("export", "--format", "webdataset").status == 64)
    #expect(try await cleannet("import", "a", "b", "--features", "f.npy").status == 64)
    #expect(
      try await cleannet.succeed("verify", "export", "--label-studio-config").output.contains(
        "name=\"verification\""))
  }
}
