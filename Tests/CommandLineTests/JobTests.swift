import Foundation
import Testing

/// The main job, by the built program on real images.
@Suite("The main job", .serialized) struct JobTests {
  @Test("from a folder of images, bad ones among them, to scored labels")
  func folder() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    let images = try RealImages(count: 240, in: cleannet.folder)
    // A text, and a photo that ends early.
    try cleannet.write("images/Bag/text.jpg", "no image")
    let some = try #require(images.truth.keys.min())
    let whole = try Data(contentsOf: cleannet.folder.appendingPathComponent(some))
    try whole.prefix(whole.count / 2).write(to: cleannet.folder.appendingPathComponent("images/Bag/cut.jpg"))

    let imported = try await cleannet.succeed("import", "images", "--json").json()
    #expect(imported["images"] as? Int == 242 && imported["classes"] as? Int == 4)
    let embedded = try await cleannet.succeed("embed", "--size", "64", "--json").json()
    #expect(embedded["embedded"] as? Int == 240 && embedded["problems"] as? Int == 2)
    let status = try await cleannet.succeed("status", "--problems").output
    #expect(status.contains("Bag/text.jpg: ") && status.contains("Bag/cut.jpg: "))

    // A person looks at 20 images of two classes.
    try await cleannet.succeed(
      "verify", "export", "todo.csv", "--unverified", "20", "--classes", "Bag,Sneaker")
    let todo = try cleannet.read("todo.csv").split(separator: "\n").map(String.init)
    #expect(
      todo.count == 41 && todo[0] == "key,path,label,verification,selection,person,correction,remark,time")
    let filled = todo.dropFirst().map { (row: String) -> String in
      let fields = row.split(separator: ",", omittingEmptySubsequences: false)
      guard let truth = images.truth["images/\(fields[1])"] else { return row }
      return (fields[..<3] + [truth == String(fields[2]) ? "1" : "0"] + fields[4...]).joined(separator: ",")
    }
    try cleannet.write("done.csv", ([todo[0]] + filled).joined(separator: "\n"))
    let verified = try await cleannet.succeed("verify", "import", "done.csv", "--json").json()
    let right = try #require(verified["right"] as? Int)
    let wrong = try #require(verified["wrong"] as? Int)
    #expect(right > 15 && wrong > 5 && right + wrong >= 38)

    try await cleannet.succeed("train", "--steps", "150")
    let scored = try await cleannet.succeed("score", "--json").json()
    #expect(scored["images"] as? Int == 240)
    try await cleannet.succeed("export", "--out", "scores.csv")
    let rows = try cleannet.read("scores.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(
      rows[0] == [
        "key", "path", "label", "cosine", "probability", "threshold", "verdict", "weight_soft", "weight_hard",
        "suggested_label", "suggested_cosine", "verification", "split",
      ])
    #expect(rows.count == 243)
    let judged = rows.dropFirst().filter { images.truth["images/\($0[1])"] != nil && $0[11].isEmpty }
    let correct = judged.count { ($0[6] == "right") == (images.truth["images/\($0[1])"] == $0[2]) }
    #expect(Double(correct) > 0.9 * Double(judged.count), "\(correct) of \(judged.count)")
    let bad = try #require(rows.first { $0[1] == "Bag/text.jpg" })
    #expect(bad[3...10].allSatisfy { $0.isEmpty })
  }

  @Test("run does all of it, and again only what is missing; two runs give the same scores")
  func run() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    _ = try RealImages(count: 120, in: cleannet.folder)
    let first = try await cleannet.succeed("run", "images.csv", "--size", "64", "--steps", "60", "--json")
      .json()
    #expect((first["next"] as? String)?.contains("cleannet review") == true && first["model"] != nil)
    try await cleannet.succeed(
      "verify", "simulate", "--truth", "truth", "--classes", "Bag,Sandal", "--per-class", "15")
    for (workspace, out) in [("w", "a.csv"), ("w2", "b.csv")] {
      if workspace == "w2" {
        try await cleannet.succeed("import", "images.csv", "-w", "w2")
        try await cleannet.succeed(
          "verify", "simulate", "--truth", "truth", "--classes", "Bag,Sandal", "--per-class", "15", "-w", "w2"
        )
      }
      let done = try await cleannet.succeed(
        "run", "images.csv", "--size", "64", "--steps", "60", "--out", out, "-w", workspace, "--json"
      ).json()
      #expect((done["scores"] as? [String: Any])?["isStale"] as? Bool == false)
    }
    #expect(try cleannet.read("a.csv") == cleannet.read("b.csv"))
    // A page that somebody has made otherwise is no damage.
    #expect(try await cleannet.succeed("check", "--json").json()["files"] is Int)
    try await cleannet.succeed("report", "--truth", "truth")
    #expect(try await cleannet.succeed("check").output.contains("Nothing is damaged"))
    let again = try await cleannet.succeed("train", "--steps", "60", "--json").json()
    #expect(again["reused"] as? Bool == true)
    let evaluation = try await cleannet.succeed(
      "evaluate", "--truth", "truth", "--rows", "rows.csv", "--plots", "plots", "--json"
    ).json()
    let detectors = try #require(evaluation["detectors"] as? [[String: Any]])
    #expect(Set(detectors.compactMap { $0["split"] as? String }) == ["heldOut", "verified"])
    for row in detectors {
      #expect(row["averageErrorRate"] is Double && row["seconds"] is Double && row["images"] is Int)
      // Classes add up to the whole.
      let classes = try #require(row["classes"] as? [String: [String: Any]])
      let images = classes.values.reduce(0) { $0 + ($1["images"] as? Int ?? 0) }
      #expect(classes.count > 1 && images == row["images"] as? Int)
    }
    let lines = try cleannet.read("rows.csv").split(separator: "\n").count
    #expect(
      lines == 1 + detectors.reduce(0) { $0 + 1 + (($1["classes"] as? [String: Any])?.count ?? 0) })
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: cleannet.folder.path + "/plots").sorted() == [
        "precision-recall-held-out.svg", "precision-recall-verified.svg", "roc-held-out.svg",
        "roc-verified.svg",
      ])
    // Another verdict makes the scores stale, not the model.
    try await cleannet.succeed(
      "verify", "simulate", "--truth", "truth", "--classes", "Trouser", "--per-class", "3")
    let stale = try await cleannet.succeed("status", "--json").json()
    #expect((stale["model"] as? [String: Any])?["isStale"] as? Bool == false)
    #expect((stale["scores"] as? [String: Any])?["isStale"] as? Bool == true)
    #expect(stale["next"] as? String == "cleannet score")
  }

  @Test(
    "an experiment: every setting, seed, detector and part in its rows, and plots over the settings that vary"
  )
  func experiment() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    _ = try RealImages(count: 400, in: cleannet.folder)
    try await cleannet.succeed("import", "images.csv")
    try await cleannet.succeed("embed", "--size", "64")
    let outcome = try await cleannet.succeed(
      "evaluate", "--truth", "truth", "--verified-classes", "2,3", "--per-class", "5,10", "--seeds", "2",
      "--detectors", "knn,average-baseline", "--rows", "rows.jsonl", "--plots", "plots", "--json"
    ).json()
    let rows = try cleannet.read("rows.jsonl").split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    // 2 numbers of classes × 2 of images × 2 seeds × 2 detectors × 2 parts.
    #expect(rows.count == 32 && (outcome["rows"] as? [Any])?.count == 32)
    for row in rows {
      let bound = row["noise_bound"] as? Double
      let kept = row["noise_kept"] as? Double
      #expect((bound == nil) == (row["part"] as? String == "heldOut") && (bound == nil) == (kept == nil))
    }
    let summaries = try #require(outcome["summaries"] as? [[String: Any]])
    #expect(summaries.count == 16 && summaries.allSatisfy { $0["runs"] as? Int == 2 })
    let plots = try FileManager.default.contentsOfDirectory(atPath: cleannet.folder.path + "/plots")
    #expect(plots.sorted() == ["error-label-by-classes.svg", "error-label-by-images.svg"])
    #expect(try cleannet.read("plots/error-label-by-images.svg").contains("average-baseline"))
  }

  @Test("an embedding that is interrupted, and killed, goes on and ends in the same features")
  func killed() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    // Few files, each under many names.
    let files = try RealImages(count: 130, in: cleannet.folder).truth.keys.sorted()
    let rows = (0..<2600).map { "\($0),\(files[$0 % files.count]),Bag\n" }
    try cleannet.write("images.csv", "key,path,label\n" + rows.joined())
    try await cleannet.succeed("import", "images.csv")
    let embed = ["embed", "--size", "32"]
    // Until the first block lies on the disk, and then the second.
    let sets = cleannet.folder.appendingPathComponent("w/features")
    let interrupted = try cleannet.start(embed)
    #expect(await interrupted.end(by: SIGINT) { sets.size(of: "00000.npy") > 0 } == 130)
    let first = sets.size(of: "00000.npy")
    await (try cleannet.start(embed)).end(by: SIGKILL) { sets.size(of: "00000.npy") > first }
    let rest = try await cleannet.succeed(embed + ["--json"]).json()
    let present = rest["present"] as? Int ?? 0
    let embedded = rest["embedded"] as? Int ?? 0
    // The second block's rows may lie on the disk without being recorded yet: then it is made again.
    #expect([1024, 2048, 2600].contains(present) && present + embedded == 2600)
    try await cleannet.succeed("import", "images.csv", "-w", "whole")
    let whole = try await cleannet.succeed(embed + ["-w", "whole", "--json"]).json()
    let key = try #require(whole["features"] as? String)
    let features = try ["w", "whole"].map { workspace in
      try Data(contentsOf: cleannet.folder.appendingPathComponent("\(workspace)/features/\(key)/00000.npy"))
    }
    #expect(features[0] == features[1])
  }
}
