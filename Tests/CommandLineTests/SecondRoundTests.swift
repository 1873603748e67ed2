import Foundation
import TestServer
import Testing

/// Stages that run a second time, after other things were done in between.
@Suite("Second rounds", .serialized) struct SecondRoundTests {
  private let cleannet: Program

  init() throws { cleannet = try Program() }

  private var files: FileManager { .default }
  private func path(_ name: String) -> String { cleannet.folder.appendingPathComponent(name).path }

  /// Features of 40 images as a table.
  private var features: String {
    (0..<40).map { row in
      "f\(row)\t\(row % 2 == 0 ? "cat" : "dog")\t-1\t\(row % 2),\(row % 5),1,\(row % 3)\n"
    }.joined()
  }

  private func status() async throws -> [String: Any] {
    try await cleannet.succeed("status", "--json").json()
  }

  @Test("run goes on from what was done since: later verdicts, added images, features and target stay")
  func run() async throws {
    defer { cleannet.remove() }
    let names = try RealImages(count: 48, in: cleannet.folder).truth.keys.sorted()
    let keys = names.map { String($0.dropFirst("images/".count)) }
    let verdicts = keys.prefix(24).map { "\($0),1,random\n" }
    try cleannet.write("v.csv", "key,verification,selection\n" + verdicts.joined())
    let run = [
      "run", "images", "--verifications", "v.csv", "--no-report", "--steps", "20", "--references", "2",
      "--seed", "3",
    ]
    try await cleannet.succeed(run + ["--size", "32", "--target-noise", "30%"])
    try cleannet.write("later.csv", "key,verification\n\(keys[0]),0\n")
    try await cleannet.succeed("verify", "import", "later.csv")
    try files.copyItem(atPath: path(names[1]), toPath: path("images/Bag/added.jpg"))
    let second = try await cleannet.succeed(["run", "./none/../images"] + run.dropFirst(2))
    #expect(second.errors.contains("1 verdicts of v.csv were imported before and changed since"))

    let now = try await status()
    #expect(now["images"] as? Int == 49)
    #expect((now["sources"] as? [Any])?.count == 1)
    let exported = try await cleannet.succeed("verify", "export", "-").output
    let later = try #require(exported.split(separator: "\n").first { $0.hasPrefix("\(keys[0]),") })
    #expect(later.split(separator: ",", omittingEmptySubsequences: false).contains("0"), "\(later)")
    // As they were said the first time, although nobody said them again.
    try cleannet.write("more.csv", "key,verification\n\(keys[1]),0\n")
    try await cleannet.succeed("verify", "import", "more.csv")
    let score = try await cleannet.succeed("status").output
    #expect(score.contains("next: cleannet score --target-noise 0.3"), "\(score)")
    try files.removeItem(atPath: path("images/Bag/added.jpg"))
    try await cleannet.succeed("import", "--update")
    let train = try await cleannet.succeed("status").output
    #expect(train.contains("next: cleannet train --references 2 --steps 20 --seed 3"), "\(train)")
  }

  @Test(
    "features and images do not mix, and the step that a refusal names can be done",
    arguments: [true, false])
  func mixed(featuresFirst: Bool) async throws {
    defer { cleannet.remove() }
    _ = try RealImages(count: 20, in: cleannet.folder)
    try cleannet.write("features.tsv", features)
    let sources = featuresFirst ? ["features.tsv", "images"] : ["images", "features.tsv"]
    try await cleannet.succeed("import", sources[0])
    let second = try await cleannet("import", sources[1])
    #expect(second.status == 65 && second.errors.contains("a workspace of its own"), "\(second.errors)")
    #expect(try await status()["images"] as? Int == (featuresFirst ? 40 : 20))

    let train = ["train", "--steps", "20", "--references", "2"]
    if featuresFirst {
      let embed = try await cleannet("embed")
      #expect(embed.status == 65 && embed.errors.contains("cleannet train"), "\(embed.errors)")
    } else {
      let early = try await cleannet.run(train)
      #expect(early.status == 66 && early.errors.contains("cleannet embed"), "\(early.errors)")
      try await cleannet.succeed("embed", "--size", "32")
    }
    try await cleannet.succeed(train)
    let run = try await cleannet.succeed(
      ["run", sources[0], "--no-report", "--json"] + train.dropFirst()
        + (featuresFirst ? [] : ["--size", "32"]))
    #expect(try run.json()["images"] as? Int == (featuresFirst ? 40 : 20))
    if featuresFirst {
      let idle = try await cleannet("run", "features.tsv", "--size", "64")
      #expect(idle.status == 64 && idle.errors.contains("brings its features"), "\(idle.errors)")
    }
  }

  @Test("an image that is gone is no copy of others: in the report, and in a data set without duplicates")
  func gone() async throws {
    defer { cleannet.remove() }
    let images = try RealImages(count: 60, in: cleannet.folder).truth.keys.sorted().map(path)
    try files.copyItem(atPath: images[0], toPath: path("images/Bag/copy.jpg"))
    try files.copyItem(atPath: images[0], toPath: path("images/Bag/another.jpg"))
    try await cleannet.succeed("import", "images")
    try await cleannet.succeed("embed", "--size", "32")
    try await cleannet.succeed("train", "--steps", "20", "--references", "2")
    try await cleannet.succeed("score")
    try files.removeItem(atPath: images[0])
    try await cleannet.succeed("import", "--update")
    let report = try await cleannet.succeed("report", "--out", "report")
    #expect(!report.output.isEmpty)
    let list = try cleannet.read("report/duplicates.csv")
    let rows = list.split(separator: "\n")
    #expect(rows.count { $0.contains("Bag/copy.jpg") || $0.contains("Bag/another.jpg") } == 2, "\(list)")
    #expect(rows.allSatisfy { !$0.contains(",,") }, "\(list)")
    // One of the two is kept, not one that is not there.
    try await cleannet.succeed(
      "export", "dataset", "--format", "manifest", "--wrong", "keep", "--without", "duplicates", "--out",
      "o.csv")
    let kept = try cleannet.read("o.csv")
    #expect(kept.contains("Bag/copy.jpg") != kept.contains("Bag/another.jpg"), "\(kept)")
  }

  @Test("a model that was written for elsewhere judges there, and is refused with another bit in it")
  func exportedModel() async throws {
    defer { cleannet.remove() }
    try cleannet.write("t.tsv", features)
    try await cleannet.succeed("import", "t.tsv")
    try await cleannet.succeed("train", "--steps", "20", "--references", "2")
    try await cleannet.succeed("score")
    try await cleannet.succeed("export", "model", "--out", "m.safetensors")
    let judge = ["judge", "t.tsv", "--model", "m.safetensors", "--out", "o.csv"]
    try await cleannet.succeed(judge)
    let file = cleannet.folder.appendingPathComponent("m.safetensors")
    let whole = try Data(contentsOf: file)
    let header =
      8 + Int(whole.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * $1.offset) })
    // A number in the settings, and numbers of tensors.
    let folds = try #require(whole.range(of: Data(#"\"folds\":2"#.utf8)))
    for place in [folds.upperBound - 1, header + 5, (header + whole.count) / 2, whole.count - 2] {
      var bytes = whole
      bytes[place] ^= 1
      try bytes.write(to: file)
      let refused = try await cleannet.run(judge)
      #expect(refused.status == 65 && refused.errors.contains("is not as it was written"), "\(refused)")
    }
  }

  /// Images of which the last comes late, a list of their addresses, and a server that has them.
  private func list(_ count: Int) async throws -> (server: TestServer, answers: [[UInt8]]) {
    let images = try RealImages(count: count, in: cleannet.folder)
    let paths = images.truth.keys.sorted()
    let bytes = try paths.map { Array(try Data(contentsOf: URL(fileURLWithPath: path($0)))) }
    let server = try await TestServer { request in
      let index = Int(request.path.dropFirst(1).prefix { $0 != "." }) ?? count
      return index < count - 1 ? .init(200, bytes[index]) : .init(404, [])
    }
    let rows = paths.indices.map { "\(server.address("/\($0).png")),\(images.truth[paths[$0]] ?? "")\n" }
    try cleannet.write("list.csv", "image_url,label\n" + rows.joined())
    return (server, bytes)
  }

  /// The files below a folder, with their bytes.
  private func contents(_ folder: String) throws -> [String: Data] {
    let names = files.enumerator(atPath: path(folder))?.allObjects as? [String] ?? []
    var found: [String: Data] = [:]
    for name in names where !name.hasSuffix(".jsonl") {
      found[name] = try? Data(contentsOf: URL(fileURLWithPath: path("\(folder)/\(name)")))
    }
    return found
  }

  @Test(
    "a late download that is killed before it was noted, or half way, ends as if nothing had been killed",
    arguments: ["whole", "half"])
  func lateDownload(_ left: String) async throws {
    defer { cleannet.remove() }
    let (server, bytes) = try await list(24)
    try await cleannet.succeed("import", "list.csv")
    try await cleannet.succeed("download", "--allow-local", "--quiet")
    let first = try await cleannet.succeed("embed", "--size", "32", "--json").json()
    #expect(first["embedded"] as? Int == 23 && first["problems"] as? Int == 1)
    try files.copyItem(atPath: path("w"), toPath: path("killed"))
    let before = try contents("w/downloads")
    server.answer { _ in TestServer.Answer(200, bytes[23]) }
    func fetch(_ workspace: String) async throws {
      try await cleannet.succeed("download", "--allow-local", "--retry", "--quiet", "-w", workspace)
    }
    try await fetch("w")
    try await cleannet.succeed("embed", "--size", "32")
    // The image lies there, or half of it, and neither log nor catalogue knows of it.
    let late = try #require(try contents("w/downloads").first { before[$0.key] == nil })
    let place = URL(fileURLWithPath: path("killed/downloads/\(late.key)"))
    try files.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    if left == "whole" {
      try late.value.write(to: place)
    } else {
      try late.value.prefix(late.value.count / 2).write(to: place.appendingPathExtension("part"))
      try await fetch("killed")
    }
    let second = try await cleannet.succeed("embed", "--size", "32", "--json", "-w", "killed").json()
    #expect(second["embedded"] as? Int == 1 && second["problems"] as? Int == 0)
    #expect(try contents("killed/features") == contents("w/features"))
    #expect(try contents("killed/downloads") == contents("w/downloads"))
    let status = try await cleannet.succeed("status", "--problems", "--json", "-w", "killed").json()
    #expect(status["problemCount"] as? Int == 0)
    try await server.close()
  }
}
