import Foundation
import Testing

/// Bad input: the message names the place and the remedy, the exit status comes from sysexits.h, and nothing is left
/// half done.
@Suite("Errors") struct ErrorTests {
  @Test("wrong usage is 64, missing input 66, bad data 65")
  func statuses() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    #expect(try await cleannet("embed", "--size", "7").status == 64)
    #expect(try await cleannet("nonsense").status == 64)
    let missing = try await cleannet("import", "nowhere.csv")
    #expect(missing.status == 66 && missing.errors.contains("nowhere.csv"))
    let none = try await cleannet("status")
    #expect(none.status == 66 && none.errors.contains("cleannet import SOURCE"))
  }

  @Test("all bad rows of a manifest are named with their lines, and nothing is imported")
  func rows() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try cleannet.write("a.jpg", "")
    try cleannet.write(
      "bad.csv", "path,label,verification\na.jpg,cat,1\n,cat,1\na.jpg,,\nb.jpg,dog,maybe\n")
    let result = try await cleannet("import", "bad.csv")
    #expect(result.status == 65)
    for line in 3...5 { #expect(result.errors.contains("bad.csv, line \(line): ")) }
    #expect(try await cleannet("status").status == 66)
  }

  @Test("each stage says which comes before it")
  func order() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try cleannet.write("m.csv", "path,label\na.jpg,x\nb.jpg,y\n")
    try cleannet.write("a.jpg", "")
    try await cleannet.succeed("import", "m.csv")
    for (verb, remedy) in [
      ("train", "cleannet embed"), ("score", "cleannet train"), ("export", "cleannet score"),
    ] {
      let result = try await cleannet(verb)
      #expect(result.status == 66 && result.errors.contains(remedy), "\(result.errors)")
    }
    // Importing the same again is no fault.
    let twice = try await cleannet.succeed("import", "m.csv").output
    #expect(twice.contains("nothing new"), "\(twice)")
  }

  @Test("of one, two or three images what can be judged is judged, and the rest is said", arguments: 1...3)
  func few(_ count: Int) async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    let rows = (0..<count).map { "f\($0)\t\($0 % 2 == 0 ? "a" : "b")\t-1\t\($0),\($0 * $0),1,\($0 % 2)\n" }
    try cleannet.write("t.tsv", rows.joined())
    try await cleannet.succeed("import", "t.tsv")
    let train = try await cleannet("train", "--steps", "20", "--references", "2")
    let score = try await cleannet("score")
    if count == 1 {
      #expect(train.status == 65 && train.errors.contains("Fewer than two classes"), "\(train.errors)")
      #expect(score.status == 66 && score.errors.contains("cleannet train"), "\(score.errors)")
    } else {
      #expect(train.status == 0 && score.status == 0, "\(train.errors)\(score.errors)")
    }
  }

  @Test("verdicts on unknown images or other labels are refused together")
  func verdicts() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try cleannet.write("m.csv", "path,label\na.jpg,x\nb.jpg,y\n")
    try cleannet.write("a.jpg", "")
    try await cleannet.succeed("import", "m.csv")
    try cleannet.write("v.csv", "key,label,verification\na.jpg,y,1\nc.jpg,x,0\nb.jpg,y,0\n")
    let result = try await cleannet("verify", "import", "v.csv")
    #expect(result.status == 65)
    #expect(result.errors.contains("line 2") && result.errors.contains("line 3"))
    #expect(try await cleannet.succeed("status", "--json").json()["verified"] as? Int == 0)
  }
}
