import Foundation
import Testing

/// A data set that changes, moves, and is not always there, by the built program.
@Suite("The life of a data set", .serialized) struct LifeCycleTests {
  private let cleannet: Program

  init() throws { cleannet = try Program() }

  private var files: FileManager { .default }
  private func path(_ name: String) -> String { cleannet.folder.appendingPathComponent(name).path }

  private func embed() async throws -> [String: Any] {
    try await cleannet.succeed("embed", "--size", "32", "--json").json()
  }

  @Test(
    "missing and damaged images are read once they are restored; a drive that is not mounted changes nothing")
  func restored() async throws {
    defer { cleannet.remove() }
    let images = try RealImages(count: 40, in: cleannet.folder).truth.keys.sorted().map(path)
    try await cleannet.succeed("import", "images")
    try files.moveItem(atPath: images[0], toPath: path("saved.jpg"))
    let whole = try Data(contentsOf: URL(fileURLWithPath: images[1]))
    try whole.prefix(whole.count / 3).write(to: URL(fileURLWithPath: images[1]))
    let first = try await embed()
    #expect(first["embedded"] as? Int == 38 && first["problems"] as? Int == 2)
    #expect(first["unreachable"] as? Int == 1)
    #expect(try await embed()["embedded"] as? Int == 0)
    try files.moveItem(atPath: path("saved.jpg"), toPath: images[0])
    try whole.write(to: URL(fileURLWithPath: images[1]))
    let second = try await embed()
    #expect(second["embedded"] as? Int == 2 && second["problems"] as? Int == 0)
    // What has features keeps them while its drive is away.
    try files.moveItem(atPath: path("images"), toPath: path("away"))
    #expect(try await embed()["problems"] as? Int == 0)
    try files.moveItem(atPath: path("away"), toPath: path("images"))
    #expect(try await cleannet.succeed("check").output.contains("Nothing is damaged"))
  }

  @Test("a run that reaches no image ends with a status of its own, and the next goes on")
  func unmounted() async throws {
    defer { cleannet.remove() }
    _ = try RealImages(count: 40, in: cleannet.folder)
    try await cleannet.succeed("import", "images")
    try files.moveItem(atPath: path("images"), toPath: path("away"))
    let away = try await cleannet("embed", "--size", "32")
    #expect(away.status == 75)
    #expect(away.errors.contains("40 of 40 images could not be reached"))
    try files.moveItem(atPath: path("away"), toPath: path("images"))
    #expect(try await embed()["embedded"] as? Int == 40)
  }

  @Test("added, removed, renamed, replaced images and a moved folder: each costs only what changed")
  func changes() async throws {
    defer { cleannet.remove() }
    let images = try RealImages(count: 60, in: cleannet.folder).truth.keys.sorted().map(path)
    try await cleannet.succeed("import", "images")
    _ = try await embed()
    #expect(try await cleannet.succeed("import", "images").output.contains("nothing new"))
    // One is added, one goes, one is renamed into another class, one becomes another image.
    try files.copyItem(atPath: images[0], toPath: path("images/Bag/added.jpg"))
    try files.removeItem(atPath: images[1])
    try files.moveItem(atPath: images[2], toPath: path("images/Sandal/renamed.jpg"))
    try Data(contentsOf: URL(fileURLWithPath: images[4])).write(to: URL(fileURLWithPath: images[3]))
    let plain = try await cleannet("import", "images")
    #expect(plain.status == 65 && plain.errors.contains("import --update"))
    let update = try await cleannet.succeed("import", "--update", "--json").json()
    let found = try #require((update["updates"] as? [[String: Any]])?.first)
    #expect(found["added"] as? Int == 1 && found["removed"] as? Int == 1)
    #expect(found["relabelled"] as? Int == 1 && found["moved"] as? Int == 1)
    let embedded = try await embed()
    #expect(embedded["embedded"] as? Int == 2 && embedded["present"] as? Int == 58)
    try files.moveItem(atPath: path("images"), toPath: path("elsewhere"))
    try await cleannet.succeed("relocate", "images", "elsewhere")
    #expect(try await embed()["embedded"] as? Int == 0)
    try files.moveItem(atPath: path("elsewhere"), toPath: path("third"))
    #expect(try await cleannet.succeed("import", "third").output.contains("nothing new"))
    try await cleannet.succeed("export", "--format", "image-folder", "--wrong", "keep", "--out", "copy")
    #expect(try await cleannet.succeed("check").output.contains("Nothing is damaged"))
  }

  @Test("a flipped bit of any file that is used is told, with what makes it again")
  func bits() async throws {
    defer { cleannet.remove() }
    _ = try RealImages(count: 60, in: cleannet.folder)
    try await cleannet.succeed("import", "images.csv")
    try await cleannet.succeed("embed", "--size", "32")
    try await cleannet.succeed("verify", "simulate", "--truth", "truth", "--classes", "3", "--per-class", "8")
    try await cleannet.succeed("train", "--steps", "20", "--references", "2")
    try await cleannet.succeed("score")
    let overview = try await cleannet.succeed("status", "--json").json()
    #expect((overview["scores"] as? [String: Any])?["isStale"] as? Bool == false)
    for (part, name, verb) in [
      ("models", "evidence.safetensors", "score"), ("scores", "probability.npy", "export"),
      ("features", "00000.npy", "train"),
    ] {
      let folders = try files.contentsOfDirectory(atPath: path("w/\(part)"))
      let file = try #require(
        folders.map { path("w/\(part)/\($0)/\(name)") }.first(where: files.fileExists(atPath:)))
      let whole = try Data(contentsOf: URL(fileURLWithPath: file))
      var bytes = whole
      bytes[bytes.count - 5] ^= 4
      try bytes.write(to: URL(fileURLWithPath: file))
      let checked = try await cleannet("check")
      #expect(checked.status == 65 && checked.output.contains(name))
      // Scores are made again where they are asked for, so that the model is looked at.
      if verb == "score" { try files.removeItem(atPath: path("w/scores")) }
      let used = try await cleannet(verb == "export" ? "export" : verb, "--quiet")
      #expect(used.status == 65, "\(verb): \(used.errors)")
      #expect(used.errors.contains("does not hold what was written"))
      try whole.write(to: URL(fileURLWithPath: file))
      if verb == "score" { try await cleannet.succeed("score") }
    }
    #expect(try await cleannet.succeed("clean", "--dry-run").output.contains("needed"))
    try await cleannet.succeed("verify", "simulate", "--truth", "truth", "--classes", "3", "--per-class", "2")
    #expect(
      try await cleannet.succeed("status").output.contains("OUT OF DATE: verdicts were added or changed"))
  }

  @Test("devices given as outputs are written to, and a full one ends with its status")
  func devices() async throws {
    defer { cleannet.remove() }
    _ = try RealImages(count: 20, in: cleannet.folder)
    try await cleannet.succeed("import", "images.csv")
    let full = try await cleannet("verify", "export", "/dev/full", "--unverified", "3")
    #expect(full.status == 73)
    var info = stat()
    #expect(lstat("/dev/full", &info) == 0 && info.st_mode & S_IFMT == S_IFCHR)
  }
}
