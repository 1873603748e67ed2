import Foundation
import Testing

/// People's remarks about an image beside right and wrong, by the built program.
@Suite("remarks", .serialized) struct RemarkTests {
  @Test(
    "images that people found to be no use are left out; what shows no class gets none; tables keep remarks")
  func remarks() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    _ = try RealImages(count: 12, in: cleannet.folder)
    let rows = try cleannet.read("images.csv").split(separator: "\n").dropFirst().map {
      String($0.split(separator: ",")[0])
    }
    try await cleannet.succeed("import", "images.csv")
    let remarks = ["exclude", "bad", "several", "none"]
    let lines = zip(rows, remarks).map { "\($0),\($1 == "none" ? "0" : "unsure"),\($1)\n" }
    try cleannet.write("verdicts.csv", "key,verification,remark\n" + lines.joined())
    try await cleannet.succeed("verify", "import", "verdicts.csv")

    try await cleannet.succeed("verify", "export", "back.csv")
    let back = try cleannet.read("back.csv").split(separator: "\n").map(String.init)
    let place = try #require(back[0].split(separator: ",").firstIndex(of: "remark"))
    for (key, remark) in zip(rows, remarks) {
      let row = try #require(back.first { $0.hasPrefix(key + ",") })
      #expect(row.split(separator: ",", omittingEmptySubsequences: false)[place] == remark)
    }

    // Labels that are kept as they are: two images are no use.
    try await cleannet.succeed(
      "export", "dataset", "--format", "manifest", "--out", "kept.csv", "--wrong", "keep")
    let kept = try cleannet.read("kept.csv")
    #expect(!kept.contains(rows[0]) && !kept.contains(rows[1]))
    #expect(kept.contains(rows[2]) && kept.contains(rows[3]))

    for (line, words) in [("right", "goes with the verdict 0"), ("strange", "none, several, bad, exclude")] {
      let remark = line == "right" ? "none" : line
      try cleannet.write("bad.csv", "key,verification,remark\n\(rows[5]),1,\(remark)\n")
      let refused = try await cleannet("verify", "import", "bad.csv")
      #expect(refused.status == 65 && refused.errors.contains(words), "\(refused.errors)")
    }
  }
}
