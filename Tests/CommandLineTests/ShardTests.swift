import Foundation
import TestPrograms
import Testing

@testable import Pipeline

/// Work that several processes share, by the built program.
@Suite("Shards and workers", .serialized) struct ShardTests {
  private func shell(_ command: String, in cleannet: Program, _ variables: [String: String] = [:])
    async throws
    -> (status: Int32, output: String, errors: String)
  {
    let script = command.replacingOccurrences(of: "cleannet ", with: "\(ChildProcess.cleannet.path) ")
    return try await ChildProcess.run(
      "sh", ["-c", script], in: cleannet.folder,
      environment: ["CLEANNET_WORKSPACE": cleannet.folder.path + "/w"].merging(variables) { $1 })
  }

  @Test("parts of any number give the bytes of one process; workers answer in order and outlive bad requests")
  func parts() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    _ = try RealImages(count: 600, in: cleannet.folder)
    try cleannet.write("images/Bag/text.jpg", "no image")
    var rows = try cleannet.read("images.csv").split(separator: "\n").map(String.init)
    rows.insert("images/Bag/text.jpg,Bag,Bag", at: 300)
    try cleannet.write("images.csv", rows.joined(separator: "\n"))
    for workspace in ["w", "one"] { try await cleannet.succeed("import", "images.csv", "-w", workspace) }
    let network = ["--quality", "fast", "--size", "32"]
    try await cleannet.succeed(["embed", "-w", "one"] + network)

    // Two parts in the way of Slurm, the third by hand, and before it is there the others are not joined.
    for task in [4, 5] {
      let done = try await shell(
        "cleannet embed --shard auto --out parts --quality fast --size 32", in: cleannet,
        ["SLURM_ARRAY_TASK_ID": "\(task)", "SLURM_ARRAY_TASK_MIN": "4", "SLURM_ARRAY_TASK_COUNT": "3"])
      #expect(done.status == 0, "\(done.errors)")
    }
    let early = try await cleannet("merge", "parts")
    #expect(early.status == 75 && early.errors.contains("1 of 3 parts are missing in parts: 3"))
    try await cleannet.succeed(["embed", "--shard", "3/3", "--out", "parts"] + network)
    let again = try await cleannet.succeed(["embed", "--shard", "3/3", "--out", "parts", "--json"] + network)
    #expect(try again.json()["reused"] as? Bool == true)
    let merged = try await cleannet.succeed("merge", "parts", "--json").json()
    #expect(merged["shards"] as? Int == 3 && merged["rows"] as? Int == 601)
    let key = try #require((merged["features"] as? [String: Any])?["features"] as? String)
    func features(_ workspace: String) throws -> Data {
      try Data(
        contentsOf: cleannet.folder.appendingPathComponent("\(workspace)/features/\(key)/00000.npy"))
    }
    #expect(try features("w") == features("one"))
    let status = try await cleannet.succeed("status", "--problems").output
    #expect(status.contains("Bag/text.jpg"))
    #expect(try await cleannet.succeed(["embed", "--json"] + network).json()["embedded"] as? Int == 0)

    // Parts without options are made as the features were.
    try await cleannet.succeed("embed", "--shard", "1/1", "--out", "later")
    let later = try await cleannet.succeed("merge", "later", "--json").json()
    #expect((later["features"] as? [String: Any])?["features"] as? String == key)

    // A damaged part, and parts of another job.
    try cleannet.write("parts/embed-00002-of-00003.safetensors", "damaged")
    let damaged = try await cleannet("merge", "parts")
    #expect(damaged.status == 65 && damaged.errors.contains("--shard 2/3"), "\(damaged.errors)")

    try await cleannet.succeed("train", "--steps", "20")
    try await cleannet.succeed("judge", "images.csv", "--out", "all.jsonl")
    for part in 1...4 {
      try await cleannet.succeed("judge", "images.csv", "--shard", "\(part)/4", "--out", "judged")
    }
    try await cleannet.succeed("merge", "judged", "--out", "merged.jsonl")
    #expect(try cleannet.read("merged.jsonl") == cleannet.read("all.jsonl"))
    try await worker(cleannet, label: "Bag", image: "images/Bag/\(try name(of: "Bag", in: rows))")
  }

  private func name(of label: String, in rows: [String]) throws -> String {
    let row = try #require(rows.first { $0.hasPrefix("images/\(label)/") && !$0.contains("text") })
    return String(try #require(row.split(separator: ",").first?.split(separator: "/").last))
  }

  private func frame(_ kind: UInt8, _ label: String?, _ content: some Sequence<UInt8>) -> Data {
    let text = Array((label ?? "").utf8)
    let length = label == nil ? UInt32.max : UInt32(text.count)
    let payload = withUnsafeBytes(of: length.littleEndian) { Array($0) } + text + Array(content)
    return Data(WorkerFrame(kind: kind, payload: payload, isTooLong: false).bytes)
  }

  private func frames(_ data: Data) throws -> [(kind: UInt8, payload: Data)] {
    var found: [(UInt8, Data)] = []
    var rest = data
    while !rest.isEmpty {
      let length = rest.prefix(4).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
      try #require(rest.count >= 5 + length)
      found.append((rest[rest.startIndex + 4], Data(rest.dropFirst(5).prefix(length))))
      rest = Data(rest.dropFirst(5 + length))
    }
    return found
  }

  private func object(_ data: Data) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private func worker(_ cleannet: Program, label: String, image: String) async throws {
    let bytes = try Data(contentsOf: cleannet.folder.appendingPathComponent(image))
    var requests = frame(1, label, bytes)
    requests += frame(1, label, Array("poison".utf8))
    requests += frame(3, label, Array(image.utf8))
    requests += frame(9, nil, [])
    requests += frame(1, "Hat", bytes)
    requests += frame(2, nil, [0, 0])
    try requests.write(to: cleannet.folder.appendingPathComponent("requests"))

    let judging = try await shell("cleannet worker judge <requests >answers", in: cleannet)
    #expect(judging.status == 0, "\(judging.errors)")
    let judged = try frames(Data(contentsOf: cleannet.folder.appendingPathComponent("answers")))
    #expect(judged.map(\.kind) == [128, 130, 255, 130, 255, 255, 255])
    let hello = try object(judged[0].payload)
    #expect(hello["protocol"] as? Int == 1 && (hello["classes"] as? [String])?.count == 4)
    let answer = try object(judged[1].payload)
    let same = try object(judged[3].payload)
    #expect(answer["probability"] is Double && answer["label"] as? String == label)
    #expect(answer["probability"] as? Double == same["probability"] as? Double)
    #expect((try object(judged[5].payload)["error"] as? String)?.contains("\"Hat\"") == true)

    let embedding = try await shell(
      "cleannet worker embed --quality fast --size 32 <requests >answers", in: cleannet)
    #expect(embedding.status == 0, "\(embedding.errors)")
    let embedded = try frames(Data(contentsOf: cleannet.folder.appendingPathComponent("answers")))
    #expect(embedded.map(\.kind) == [128, 129, 255, 129, 255, 129, 255])
    #expect(embedded[1].payload.count == 1280 * 4 && embedded[1].payload == embedded[3].payload)

    // A stream that ends within a frame is answered up to there.
    try requests.prefix(requests.count - 3).write(to: cleannet.folder.appendingPathComponent("requests"))
    let cut = try await shell("cleannet worker judge <requests >answers", in: cleannet)
    #expect(cut.status == 65 && cut.errors.contains("within a frame"))
    let rest = try frames(Data(contentsOf: cleannet.folder.appendingPathComponent("answers")))
    #expect(rest.count == 6)
  }

  @Test("a part is named by hand or by the variables of Slurm and Kubernetes, and divides all work")
  func shards() throws {
    #expect(Shard("3/8") == Shard(index: 2, count: 8))
    #expect(Shard("0/8") == nil && Shard("9/8") == nil && Shard("3") == nil && Shard("a/b") == nil)
    #expect(Shard("auto", environment: [:]) == nil)
    let slurm = ["SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_COUNT": "4"]
    #expect(Shard("auto", environment: slurm) == Shard(index: 2, count: 4))
    #expect(Shard("auto/6", environment: ["JOB_COMPLETION_INDEX": "5"]) == Shard(index: 5, count: 6))
    #expect(Shard("auto", environment: ["JOB_COMPLETION_INDEX": "5"]) == nil)
    for count in [1, 2, 3, 7, 20] {
      let parts = try (0..<count).map { try #require(Shard(index: $0, count: count)).part(of: 10) }
      #expect(parts.flatMap { Array($0) } == Array(0..<10))
    }
  }
}
