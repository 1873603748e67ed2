import Foundation
import TestPrograms
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
    // Images that have features keep them while their drive is away.
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
      #expect(used.errors.contains("is not as it was written"))
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

  /// Packs files of the test's folder, in that order.
  private func pack(_ names: [String]) async throws {
    let (status, _, errors) = try await ChildProcess.run(
      "/usr/bin/env", ["tar", "-cf", "set.tar"] + names, in: cleannet.folder)
    try #require(status == 0, "\(errors)")
  }

  @Test("an archive that was written anew is read where its images lie now, and nowhere else")
  func rewritten() async throws {
    defer { cleannet.remove() }
    let names = try RealImages(count: 24, in: cleannet.folder).truth.keys.sorted()
    try cleannet.write("set.csv", "path,label\n" + names.map { "\($0),\($0.count)\n" }.joined())
    try await pack(names)
    try await cleannet.succeed("import", "set.csv", "--root", "set.tar")
    #expect(try await embed()["embedded"] as? Int == 24)
    // The same images in another order, and one that has become another: their old places hold others.
    try Data(contentsOf: cleannet.folder.appendingPathComponent(names[3]))
      .write(to: cleannet.folder.appendingPathComponent(names[5]))
    try await pack(names.reversed())
    for arguments in [
      ["embed"], ["export", "dataset", "--wrong", "keep", "--format", "manifest", "--out", "o.csv"],
    ] {
      let refused = try await cleannet.run(arguments)
      #expect(refused.status == 65, "\(arguments)")
      #expect(refused.errors.contains("has changed since it was imported"))
      #expect(refused.errors.contains("cleannet import --update"))
    }
    let update = try await cleannet.succeed("import", "--update", "--json").json()
    let found = try #require((update["updates"] as? [[String: Any]])?.first)
    #expect(found["moved"] as? Int == 0 && found["unchanged"] as? Int == 24)
    #expect(try await cleannet.succeed("status").output.contains("next: cleannet embed"))
    let again = try await embed()
    #expect(again["embedded"] as? Int == 1 && again["present"] as? Int == 23)
    // A copy elsewhere counts as what it was made of; the manifest's --root, too, is looked for there.
    try files.createDirectory(atPath: path("new"), withIntermediateDirectories: true)
    for name in ["set.tar", "set.csv"] {
      try files.copyItem(atPath: path(name), toPath: path("new/\(name)"))
      try files.removeItem(atPath: path(name))
    }
    try await cleannet.succeed("relocate", ".", "new")
    #expect(try await embed()["present"] as? Int == 24)
    #expect(try await cleannet.succeed("import", "--update").output.contains("nothing new"))
  }

  @Test("a stage run again without options repeats the last one, and status says what it would do")
  func again() async throws {
    defer { cleannet.remove() }
    let names = try RealImages(count: 30, in: cleannet.folder).truth.keys.sorted()
    try await cleannet.succeed("import", "images")
    try await cleannet.succeed("embed", "--quality", "fast", "--size", "32", "--precision", "f32")
    try files.copyItem(atPath: path(names[0]), toPath: path("images/Bag/added.jpg"))
    try await cleannet.succeed("import", "--update")
    let more = try await cleannet.succeed("embed", "--json").json()
    #expect(more["embedded"] as? Int == 1 && more["present"] as? Int == 30)
    try await cleannet.succeed("train", "--steps", "20", "--references", "2", "--seed", "3")
    #expect(try await cleannet.succeed("status").output.contains("next: cleannet score\n"))
    try files.removeItem(atPath: path("images/Bag/added.jpg"))
    try await cleannet.succeed("import", "--update")
    let next = "next: cleannet train --references 2 --steps 20 --seed 3\n"
    #expect(try await cleannet.succeed("status").output.contains(next))
    // Nothing can be trained on while no image was reached, and more imports would not help.
    try files.moveItem(atPath: path("images"), toPath: path("away"))
    #expect(try await cleannet("embed", "--size", "64").status == 75)
    let refused = try await cleannet("train")
    #expect(refused.status == 65 && refused.errors.contains("cleannet relocate"))
    #expect(try await cleannet.succeed("status").output.contains("next: mount the drive"))
  }

  @Test("a model is not applied to other features of the same dimension")
  func otherFeatures() async throws {
    defer { cleannet.remove() }
    _ = try RealImages(count: 40, in: cleannet.folder)
    try await cleannet.succeed("import", "images.csv")
    try await cleannet.succeed("embed", "--size", "32")
    try await cleannet.succeed("verify", "simulate", "--truth", "truth", "--classes", "3", "--per-class", "6")
    try await cleannet.succeed("train", "--steps", "20", "--references", "2")
    try await cleannet.succeed("embed", "--size", "40")
    let refused = try await cleannet("score")
    #expect(refused.status == 65 && refused.errors.contains("other features"), "\(refused.errors)")
    #expect(refused.errors.contains("cleannet train"))
  }

  @Test("an image that was judged and became another is named")
  func judged() async throws {
    defer { cleannet.remove() }
    let names = try RealImages(count: 24, in: cleannet.folder).truth.keys.sorted().map(path)
    try await cleannet.succeed("import", "images")
    _ = try await embed()
    let key = String(names[0].dropFirst(path("images").count + 1))
    try cleannet.write("v.csv", "key,verification\n\(key),1\n")
    try await cleannet.succeed("verify", "import", "v.csv")
    try Data(contentsOf: URL(fileURLWithPath: names[1])).write(to: URL(fileURLWithPath: names[0]))
    let again = try await cleannet("embed")
    #expect(again.errors.contains("1 of the images that people judged have been replaced since: \(key)"))
  }

  @Test("limits of images can be raised, stay raised, and what they refused is looked at again")
  func limits() async throws {
    defer { cleannet.remove() }
    let images = try RealImages(count: 20, in: cleannet.folder).truth.keys.sorted().map(path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: images[0]))
    try whole.dropLast(20).write(to: URL(fileURLWithPath: images[0]))
    let large = Array("P5 1300 1000 255\n".utf8) + [UInt8](repeating: 90, count: 1_300_000)
    try Data(large).write(to: URL(fileURLWithPath: path("images/Bag/large.pgm")))
    try await cleannet.succeed("import", "images")
    let low = try await cleannet.succeed("embed", "--size", "32", "--max-megapixels", "1", "--json").json()
    #expect(low["embedded"] as? Int == 19 && low["problems"] as? Int == 2)
    let told = try await cleannet.succeed("status", "--problems").output
    #expect(told.contains("--max-megapixels 2") && told.contains("--take-truncated"))
    #expect(try await embed()["problems"] as? Int == 2)
    let more = try await cleannet.succeed(
      "embed", "--size", "32", "--max-megapixels", "2", "--take-truncated", "--json"
    ).json()
    #expect(more["embedded"] as? Int == 2 && more["problems"] as? Int == 0)
    #expect(try await embed()["embedded"] as? Int == 0)
    #expect(try await cleannet.succeed("check").output.contains("Nothing is damaged"))
    let part = try await cleannet("embed", "--shard", "1/2", "--out", "parts", "--take-truncated")
    #expect(part.status == 64)
  }
}
