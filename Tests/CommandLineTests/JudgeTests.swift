import Foundation
import TestPrograms
import Testing

/// New images, judged by the built program.
@Suite("judge", .serialized) struct JudgeTests {
  /// A model of 200 images, and 40 images that it has not seen: `new.csv`.
  private func trained() async throws -> (Program, RealImages) {
    let cleannet = try Program()
    let images = try RealImages(count: 240, in: cleannet.folder)
    let rows = try cleannet.read("images.csv").split(separator: "\n").map(String.init)
    try cleannet.write("old.csv", (rows.prefix(201) + [""]).joined(separator: "\n"))
    try cleannet.write("new.csv", ([rows[0]] + rows.suffix(40) + [""]).joined(separator: "\n"))
    try await cleannet.succeed("import", "old.csv")
    try await cleannet.succeed("embed", "--quality", "fast", "--size", "64")
    try await cleannet.succeed("train", "--steps", "60")
    return (cleannet, images)
  }

  private func objects(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
    }
  }

  @Test("a data set, one image, lines on stdin and a model in a file say the same; bad rows are answers")
  func judge() async throws {
    let (cleannet, images) = try await trained()
    defer { cleannet.remove() }
    try await cleannet.succeed("export", "model", "--out", "model.safetensors")
    let all = try objects(try await cleannet.succeed("judge", "new.csv", "--nearest", "2").output)
    #expect(all.count == 40)
    let correct = try all.count { answer in
      let key = try #require(answer["key"] as? String)
      let isRight = images.truth[key] == answer["label"] as? String
      let near = try #require(answer["nearest"] as? [[String: Any]])
      #expect(near.count == 2 && near[0]["key"] is String)
      return (answer["verdict"] as? String == "right") == isRight
    }
    #expect(correct >= 35, "\(correct) of 40")

    let outcome = try await cleannet.succeed(
      "judge", "new.csv", "--model", "model.safetensors", "-w", "nowhere", "--out", "judged.csv", "--json"
    ).json()
    #expect(outcome["rows"] as? Int == 40 && outcome["errors"] as? Int == 0)
    let table = try cleannet.read("judged.csv").split(separator: "\n").dropFirst().map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    for (row, answer) in zip(table, all) {
      #expect(row[0] == answer["key"] as? String && row[2] == answer["verdict"] as? String)
      let probability = try #require(answer["probability"] as? Double)
      #expect(abs(try #require(Double(row[3])) - probability) < 1e-4)
    }

    var damaged = try Data(contentsOf: cleannet.folder.appendingPathComponent("model.safetensors"))
    damaged[damaged.count / 2] ^= 1
    try damaged.write(to: cleannet.folder.appendingPathComponent("damaged.safetensors"))
    let refused = try await cleannet("judge", "new.csv", "--model", "damaged.safetensors")
    #expect(refused.status == 65 && refused.errors.contains("damaged.safetensors cannot judge"))
    #expect(refused.errors.contains("its digest differs. Write one"), "\(refused.errors)")

    let key = try #require(all[0]["key"] as? String)
    let label = try #require(all[0]["label"] as? String)
    let one = try await cleannet.succeed("judge", key, "--label", label, "--json").json()
    let probability = try #require(all[0]["probability"] as? Double)
    #expect(abs(try #require(one["probability"] as? Double) - probability) < 1e-3)

    let bytes = try Data(contentsOf: cleannet.folder.appendingPathComponent(key)).base64EncodedString()
    let lines = [
      #"{"path": "\#(key)", "label": "\#(label)"}"#, "no json",
      #"{"path": "gone.jpg", "label": "\#(label)"}"#,
      #"{"image": "\#(bytes)", "label": "Hat", "key": "a hat"}"#, #"{"features": [1, 2], "key": 7}"#,
      #"{"image": "\#(bytes)"}"#,
    ]
    try cleannet.write("lines.jsonl", lines.joined(separator: "\n"))
    let (status, output, errors) = try await ChildProcess.run(
      "sh", ["-c", "\(ChildProcess.cleannet.path) judge - -w w <lines.jsonl"], in: cleannet.folder)
    #expect(status == 0, "\(errors)")
    let answers = try objects(output)
    #expect(answers.count == 6)
    #expect(abs(try #require(answers[0]["probability"] as? Double) - probability) < 1e-3)
    for (place, words) in [(1, "line 2"), (2, "no such file"), (3, "\"Hat\" is none"), (4, "2 features")] {
      let error = try #require(answers[place]["error"] as? String)
      #expect(error.lowercased().contains(words.lowercased()), "\(error)")
      #expect(answers[place]["verdict"] == nil)
    }
    #expect(answers[3]["key"] as? String == "a hat" && answers[3]["suggested_label"] is String)
    #expect(answers[5]["error"] == nil && answers[5]["suggested_label"] is String)
  }

  @Test("without a model, and with a file that is none, it says what to do")
  func refusals() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    _ = try RealImages(count: 8, in: cleannet.folder)
    try await cleannet.succeed("import", "images.csv")
    let none = try await cleannet("judge", "images.csv")
    #expect(none.status == 66 && none.errors.contains("cleannet train"))
    let wrong = try await cleannet("judge", "images.csv", "--model", "images.csv")
    #expect(wrong.status == 65, "\(wrong.errors)")
    let missing = try await cleannet("judge", "images.csv", "--model", "gone")
    #expect(missing.status == 66 && missing.errors.contains("export model"))
  }
}
