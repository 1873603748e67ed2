import Foundation
import Testing

/// The classifier, by the built program on real images with wrong labels.
@Suite("The classifier", .serialized) struct ClassifyTests {
  /// A workspace with training images (a third of the labels wrong), features, and images of the split test.
  private func prepared(_ cleannet: Program, training: Int = 160, test: Int = 60) async throws {
    _ = try RealImages(count: training + test, in: cleannet.folder)
    let rows = try cleannet.read("images.csv").split(separator: "\n").map(String.init)
    try cleannet.write("train.csv", ([rows[0]] + rows[1...training]).joined(separator: "\n"))
    let tests = rows[(training + 1)...].map { row in
      let fields = row.split(separator: ",")
      return "\(fields[0]),\(fields[2]),\(fields[2])"
    }
    try cleannet.write("test.csv", ([rows[0]] + tests).joined(separator: "\n"))
    try await cleannet.succeed("import", "train.csv")
    try await cleannet.succeed("import", "test.csv", "--split", "test")
  }

  @Test(
    "a head with the oracle's weights is right where one without is not; test, prediction and export agree")
  func head() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try await prepared(cleannet)
    try await cleannet.succeed("embed", "--size", "64", "-q")
    func top1(_ weights: String) async throws -> Double {
      let truth = weights == "oracle" ? ["--truth", "truth"] : []
      try await cleannet.succeed(["classify", "train", "--weights", weights, "-q"] + truth)
      let tested = try await cleannet.succeed("classify", "evaluate", "--json", "-q").json()
      #expect(tested["images"] as? Int == 60 && tested["weights"] as? String == weights)
      let confusion = try #require(tested["confusion"] as? [[Int]])
      #expect(confusion.joined().reduce(0, +) == 60)
      return try #require((tested["top1"] as? [String: Double])?["mean"])
    }
    let none = try await top1("none")
    let oracle = try await top1("oracle")
    #expect(oracle > 0.9 && oracle >= none, "\(none), \(oracle)")
    let again = try await cleannet.succeed(
      "classify", "train", "--weights", "oracle", "--truth", "truth", "--json", "-q"
    ).json()
    #expect(again["reused"] as? Bool == true)

    // The images themselves, through the whole network, say what the stored features said.
    try cleannet.write(
      "list.txt",
      try "none.jpg\n"
        + cleannet.read("test.csv").split(separator: "\n").dropFirst()
        .map { String($0.split(separator: ",")[0]) }.joined(separator: "\n"))
    try await cleannet.succeed("classify", "predict", "list.txt", "--out", "predicted.csv", "--top", "2")
    let predicted = try cleannet.read("predicted.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(predicted[0] == ["path", "class", "probability", "class2", "probability2", "problem"])
    #expect(predicted.count == 62 && predicted[1][1].isEmpty && !predicted[1][5].isEmpty)
    let truth = try cleannet.read("test.csv").split(separator: "\n").dropFirst().map {
      String($0.split(separator: ",")[1])
    }
    let right = zip(predicted[2...61], truth).count { $0[1] == $1 }
    #expect(abs(Double(right) / 60 - oracle) < 0.02)

    // The exported file is a classifier of its own that predicts the same.
    try await cleannet.succeed("classify", "export", "--out", "exported.safetensors")
    try await cleannet.succeed(
      "classify", "predict", "list.txt", "--classifier", "exported.safetensors", "--out", "again.csv",
      "--top", "2")
    #expect(try cleannet.read("again.csv") == cleannet.read("predicted.csv"))
    let bytes = try Data(contentsOf: cleannet.folder.appendingPathComponent("exported.safetensors"))
    let header = String(decoding: bytes.prefix(40000), as: UTF8.self)
    for name in [
      "conv_stem.weight", "blocks.6.0.bn3.running_var", "bn2.num_batches_tracked", "classifier.bias",
    ] {
      #expect(header.contains("\"\(name)\""), "\(name)")
    }
    let script = try await cleannet.succeed("classify", "export", "--out", "exported.pt", "--json").json()
    #expect(script["format"] as? String == "torchscript")
    #expect(try Data(contentsOf: cleannet.folder.appendingPathComponent("exported.pt")).count > 12_000_000)
  }

  @Test("a fine-tuning that is killed goes on and ends in the same weights; bad images are listed")
  func tuning() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try await prepared(cleannet, training: 120, test: 40)
    try cleannet.write("images/Bag/bad.jpg", "no image")
    try cleannet.write("bad.csv", "path,label,truth\nimages/Bag/bad.jpg,Bag,Bag\n")
    try await cleannet.succeed("import", "bad.csv")
    let arguments = [
      "classify", "train", "--weights", "oracle", "--truth", "truth", "--stages", "1", "--size", "32",
      "--epochs", "4",
      "--batch", "16", "--rate", "0.001", "--batch-norm", "frozen", "--json", "-q",
    ]
    let process = try cleannet.start(arguments)
    // Until the first state lies on the disk.
    let models = cleannet.folder.appendingPathComponent("w/models")
    await process.end(by: SIGKILL) { models.size(of: "state.safetensors") > 0 }
    func trained(_ workspace: String) async throws -> [String: Any] {
      try await cleannet.succeed(arguments + ["-w", workspace]).json()
    }
    let resumed = try await trained("w")
    #expect(resumed["problems"] as? Int == 1 && (resumed["epochs"] as? [Any])?.count == 4)
    let status = try await cleannet.succeed("status", "--problems").output
    #expect(status.contains("bad.jpg"))

    try await cleannet.succeed("import", "train.csv", "-w", "whole")
    try await cleannet.succeed("import", "test.csv", "--split", "test", "-w", "whole")
    try await cleannet.succeed("import", "bad.csv", "-w", "whole")
    let whole = try await trained("whole")
    for name in ["best.safetensors", "last.safetensors", "log.jsonl", "curves.svg"] {
      let files = try [resumed, whole].map { outcome in
        let folder = URL(fileURLWithPath: try #require(outcome["file"] as? String))
          .deletingLastPathComponent()
        return try Data(contentsOf: folder.appendingPathComponent(name))
      }
      #expect(files[0] == files[1], "\(name)")
    }
    let tested = try await cleannet.succeed("classify", "evaluate", "--json", "-q").json()
    let top1 = try #require((tested["top1"] as? [String: Double])?["mean"])
    #expect(top1 > 0.6, "\(top1)")
  }

  @Test(
    "rounds: the network, its answers about images it never saw, the network with new weights; again, all is there"
  )
  func rounds() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try await prepared(cleannet, training: 80, test: 20)
    try await cleannet.succeed("embed", "--size", "32", "-q")
    try await cleannet.succeed(
      "verify", "simulate", "--truth", "truth", "--classes", "Bag,Sandal", "--per-class", "8")
    try await cleannet.succeed("train", "--steps", "20", "-q")
    func rounds() async throws -> [[String: Any]] {
      let outcome = try await cleannet.succeed(
        "classify", "train", "--rounds", "1", "--stages", "1", "--epochs", "1", "--batch", "16",
        "--batch-norm", "frozen", "--truth", "truth", "--json", "-q"
      ).json()
      return try #require(outcome["rounds"] as? [[String: Any]])
    }
    let first = try await rounds()
    #expect(first.count == 2)
    #expect(first[0]["weights"] as? String == "none" && first[0]["features"] == nil)
    #expect(first[1]["weights"] as? String == "soft" && first[1]["features"] is String)
    #expect(first[1]["scores"] is String && first[1]["judgedRight"] is Double && first[1]["gain"] is Double)
    // A row for each image; the test images have no answers.
    let evidence = try Data(contentsOf: URL(fileURLWithPath: try #require(first[1]["evidence"] as? String)))
    #expect(String(decoding: evidence.prefix(128), as: UTF8.self).contains("(100, "))
    let again = try await rounds()
    for key in ["file", "scores", "features", "model", "evidence"] {
      #expect(first[1][key] as? String == again[1][key] as? String, "\(key)")
    }
    #expect(first[1]["testTop1"] as? Double == again[1]["testTop1"] as? Double)
    let best = try await cleannet.succeed("classify", "evaluate", "--json", "-q").json()["file"] as? String
    // Networks that are compared take nobody's place.
    let compared = try await cleannet.succeed(
      "classify", "compare", "--truth", "truth", "--weights", "none,hard,oracle", "--seeds", "2", "--stages",
      "1",
      "--epochs", "1", "--batch", "16", "--batch-norm", "frozen", "--json", "-q"
    ).json()
    let runs = try #require(compared["runs"] as? [[String: Any]])
    #expect(runs.map { $0["weights"] as? String } == ["none", "hard", "oracle"] && runs[0]["gain"] == nil)
    let means = runs.map { ($0["top1"] as? [String: Double])?["mean"] ?? .nan }
    let gain = try #require(runs[2]["gain"] as? [String: Double])
    #expect(abs((gain["mean"] ?? .nan) - (means[2] - means[0])) < 1e-9)
    #expect(
      try await cleannet.succeed("classify", "evaluate", "--json", "-q").json()["file"] as? String == best)
    // The round's scores are the workspace's now; features still come from a network that never saw the labels.
    let status = try await cleannet.succeed("status", "--json").json()
    #expect((status["scores"] as? [String: Any])?["isStale"] as? Bool == false)
    #expect((status["features"] as? [Any])?.count == 1)
  }
}
