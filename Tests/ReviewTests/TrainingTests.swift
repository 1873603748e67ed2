import Foundation
import HTTPTypes
import NIOCore
import Pipeline
import Testing
import Workspace

@testable import Review

/// Training from the page, and what follows from scores.
@Suite struct TrainingTests {
  private let fixture: ReviewFixture
  private let server: ReviewServer
  private var workspace: Workspace { fixture.workspace }

  init() throws {
    fixture = try ReviewFixture()
    server = try fixture.server()
  }

  /// Verifies classes by the truth, and trains.
  private func train(_ ann: Visitor, classes: [Int], count: Int) async throws {
    for label in classes {
      let images = try await ann.images("/api/classes/\(label)/images?count=\(count)").images
      try await ann.answer(images.map { $0.answer(try fixture.isRight($0.image) ? "right" : "wrong") })
    }
    #expect(try await ann.send(.post, "/api/retrain", [:]).status == .accepted)
    while true {
      let status = try #require(
        try await ann.object(.get, "/api/overview")["retraining"] as? [String: Any])
      if status["phase"] as? String != "running" {
        #expect(status["phase"] as? String == "done", "\(status["problem"] ?? "")")
        return
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  @Test func everyVerdictCountsAtOnceAfterTheFirstTraining() async throws {
    let server = try fixture.server { $0.rest = .milliseconds(10) }
    try await server.visited { [workspace] client in
      let ann = try await Visitor(client, server, person: "Ann")
      try await train(ann, classes: [0], count: 20)
      func suspects() async throws -> [Int] {
        try await ann.images("/api/suspects?count=200").images.map(\.image)
      }
      func isLive(_ count: Int) async throws -> Bool {
        let overview = try await ann.object(.get, "/api/overview")
        return overview["isLive"] as? Bool == true && overview["sinceTraining"] as? Int == count
      }
      let before = try await suspects()
      // A person who finds every label of a class right changes the probabilities of labels that nobody has seen.
      let images = try await ann.images("/api/classes/1/images?count=60").images
      try await ann.answer(images.map { $0.answer("right") })
      try await until { try await isLive(images.count) }
      let runs = { try workspace.runs(stage: "train").count }
      let trainings = try runs()
      try await until { try await suspects() != before }
      #expect(try runs() == trainings)
      // The page's scores are kept for other programs when nobody has answered for a while.
      try await until { try !StageProducts.scoresAreStale(workspace) }
      let scoring = try #require(try workspace.finishedRun(stage: "score"))
      let kept = try #require(try workspace.scores(key: scoring.key))
      let live = try #require(try LiveJudge(workspace).judge())
      #expect(
        live.map(\.probability).elementsEqual(kept.map(\.probability)) { $0 == $1 || $0.isNaN && $1.isNaN })
    }
  }

  /// Waits for what happens in the background.
  private func until(_ isTrue: () async throws -> Bool) async throws {
    for _ in 0..<600 {
      if try await isTrue() { return }
      try await Task.sleep(for: .milliseconds(100))
    }
    Issue.record("it never came true")
  }

  @Test func fromTheFirstVerdictToSuspects() async throws {
    try await server.visited { [server, workspace, fixture] client in
      let ann = try await Visitor(client, server, person: "Ann")
      // Before: classes by how they look, no suspects, nothing to train on.
      let before = try await ann.object(.get, "/api/queue")
      let entries = try #require(before["entries"] as? [[String: Any]])
      #expect(entries.map { $0["reason"] as? String } == ["typical", "diverse", "diverse"])
      #expect(try await ann.images("/api/suspects").images.isEmpty)
      let references = try await ann.images("/api/classes/0/references").images
      #expect((2...8).contains(references.count) && references.allSatisfy { $0.label == 0 })
      let typical = try references.count { try fixture.isRight($0.image) }
      #expect(typical * 2 > references.count)

      try await train(ann, classes: [0, 1], count: 40)

      // After: an outlook, suspects, every second image kept aside.
      let after = try await ann.object(.get, "/api/queue")
      let outlook = try #require(after["outlook"] as? [String: Any])
      let measured = try #require(outlook["measured"] as? [String: Any])
      #expect(measured["images"] as? Int == 80)
      #expect((outlook["history"] as? [Any])?.count == 1)
      // Two classes of about 60 images are covered, and their bound lies above what the sample shows.
      let kept = try #require(outlook["kept"] as? [String: Any])
      #expect(kept["classes"] as? Int == 2)
      let sample = try #require(kept["sample"] as? Int)
      let wrongKept = try #require(kept["wrong"] as? Int)
      #expect(sample > 30 && sample < 80 && wrongKept < 10)
      #expect(try #require(kept["upper"] as? Double) > Double(wrongKept) / Double(sample))
      let after100 = try #require(outlook["after"] as? Double)
      #expect(after100 <= (try #require(outlook["expected"] as? Double)))
      // Every second image is drawn at random, and nothing tells which; no opinion of the model is sent along.
      let batch = try await ann.object(.get, "/api/classes/2/images?count=20")
      let fields = Set((try #require(batch["images"] as? [[String: Any]])).flatMap(\.keys))
      #expect(fields == ["image", "label"])
      let next = try await ann.images("/api/classes/2/images?count=20").images
      try await ann.answer(next.map { $0.answer(try fixture.isRight($0.image) ? "right" : "wrong") })
      let chosen = try workspace.verificationHistory().suffix(next.count).map(\.selection)
      // 80 answers make a trial due, which comes on top. An image that is doubtful and would be drawn a little later comes
      // as doubtful, and takes no second place.
      #expect(next.count == 21)
      let drawn = chosen.count { $0 == .drawn }
      #expect(
        (7...10).contains(drawn) && chosen.count { $0 == .informative } == 20 - drawn
          && chosen.count { $0 == .trial } == 1, "\(chosen.map { $0?.rawValue ?? "none" })")

      let suspects = try await ann.images("/api/suspects?count=100")
      let wrong = try suspects.images.count { try !fixture.isRight($0.image) }
      #expect(!suspects.images.isEmpty && wrong * 2 > suspects.images.count)
      let first = try #require(suspects.images.first { $0.suggestion != nil })
      let verified = try workspace.randomSampleAnswers().count
      let all = try workspace.verifications().count
      try await ann.answer([first.answer("wrong", ["correction": first.suggestion ?? 0])])
      // They add nothing to what was drawn, and take nothing away.
      #expect(try workspace.verifications().count == all + 1)
      #expect(try workspace.randomSampleAnswers().count == verified)

      // Many at once: not seen, so nothing is learned from them; undone as one.
      let accepted = try await ann.object(
        .post, "/api/suspects/accept", ["batch": "batch-0001", "above": 0.5])
      let count = try #require(accepted["accepted"] as? Int)
      #expect(count > 0)
      #expect(try workspace.verifications().count == all + 1)
      let answers = try workspace.currentAnswers().filter { $0.origin == .accepted }
      #expect(answers.count == count && answers.allSatisfy { $0.correction != nil })
      #expect(try await ann.images("/api/suspects?count=100").left == suspects.left - 1 - count)
      let undone = try await ann.object(.post, "/api/undo", ["batch": "batch-0001"])
      #expect((undone["undone"] as? [String: Any])?["count"] as? Int == count)
      #expect(try workspace.currentAnswers().count { $0.origin == .accepted } == 0)
    }
  }

  @Test func trainingNeedsNoVerdict() async throws {
    try await server.visited { [server] client in
      let ann = try await Visitor(client, server, person: "Ann")
      #expect(try await ann.send(.post, "/api/retrain", [:]).status == .accepted)
      var status: [String: Any] = [:]
      repeat {
        try await Task.sleep(for: .milliseconds(20))
        status = try #require(try await ann.object(.get, "/api/overview")["retraining"] as? [String: Any])
      } while status["phase"] as? String == "running"
      #expect(status["phase"] as? String == "done")
    }
  }

  @Test func pagesHearOfIt() async throws {
    let hub = EventHub()
    let events = try #require(await hub.listen("session"))
    let retraining = Retraining(ShortTraining(workspace: workspace), hub: hub)
    try workspace.addVerifications(
      try workspace.labels().enumerated().map { sample, label in
        VerificationRecord(
          sample: sample, label: Int(label), answer: .init(isRight: try fixture.isRight(sample)),
          person: "Ann",
          origin: .simulated)
      })
    #expect(await retraining.begin(by: "Ann") {})
    #expect(await !retraining.begin(by: "Bob") {})
    var phases: [String] = []
    var steps = Set<String>()
    for await event in events {
      let text = String(buffer: event)
      guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("data: ") }) else { continue }
      #expect(text.hasPrefix("event: retraining\n") && text.hasSuffix("\n\n"))
      let status = try JSONDecoder().decode(Retraining.Status.self, from: Data(line.dropFirst(6).utf8))
      phases.append(status.phase.rawValue)
      if let step = status.step { steps.insert(step.name) }
      if status.phase == .done || status.phase == .failed { break }
    }
    #expect(phases.first == "running" && phases.last == "done")
    #expect(!steps.isEmpty && steps.isSubset(of: ["Training", "Scoring"]))
  }
}
