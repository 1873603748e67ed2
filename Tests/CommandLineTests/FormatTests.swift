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
  func labelMap() throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try images(cleannet, "one/katze/1.jpg", "one/dog/2.jpg", "two/cat/3.jpg")
    try cleannet.write("map.csv", "katze,cat\n")
    let result = try cleannet.succeed("import", "one", "two", "--label-map", "map.csv", "--json").json()
    #expect(result["images"] as? Int == 3)
    #expect(result["classes"] as? Int == 2)
    #expect(result["format"] as? String == "image-folder")
  }

  @Test("a table with features as text needs no images")
  func textFeatures() throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try cleannet.write("t.tsv", "a\tcat\t1\t1,2,3,4\nb\tdog\t0\t5,6,7,8\n")
    #expect(try cleannet.succeed("import", "t.tsv", "--json").json()["format"] as? String == "cleannet-tsv")
    try cleannet.succeed("verify", "export", "v.tsv", "--format", "food-101n")
    #expect(try cleannet.read("v.tsv") == "class_name/key\tverification_label\ncat/a\t1\ndog/b\t0\n")
    let again = try cleannet.succeed("verify", "import", "v.tsv", "--json").json()
    #expect(again["right"] as? Int == 1 && again["wrong"] as? Int == 1)
  }

  @Test("what does not fit together is wrong usage")
  func usage() throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    #expect(try cleannet("export", "--format", "nope", "--out", "x").status == 64)
    #expect(try cleannet("export", "--format", "webdataset").status == 64)
    #expect(try cleannet("import", "a", "b", "--features", "f.npy").status == 64)
    #expect(
      try cleannet.succeed("verify", "export", "--label-studio-config").output.contains(
        "name=\"verification\""))
  }
}
