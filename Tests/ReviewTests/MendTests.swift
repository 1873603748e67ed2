import Foundation
import Testing
import Workspace

@testable import Review

/// Questions beyond one class's page: second looks, doubtful labels of all classes, trials; and images that nobody
/// can judge.
@Suite struct MendTests {
  private let fixture: ReviewFixture
  private var workspace: Workspace { fixture.workspace }

  init() throws { fixture = try ReviewFixture() }

  private struct Page {
    var kind: String
    var groups: [(label: Int, suggestion: Int?, images: [Visitor.Shown])]
    var again: Int
    var doubtful: Int
    var images: [Visitor.Shown] { groups.flatMap(\.images) }
  }

  private static func mend(_ visitor: Visitor, count: Int = 24) async throws -> Page {
    let reply = try await visitor.object(.get, "/api/mend?count=\(count)")
    let groups = try #require(reply["groups"] as? [[String: Any]])
    return Page(
      kind: try #require(reply["kind"] as? String),
      groups: try groups.map { group in
        let images = try #require(group["images"] as? [[String: Any]])
        #expect(images.allSatisfy { Set($0.keys) == ["image", "label"] })
        return (
          try #require(group["label"] as? Int), group["suggestion"] as? Int, images.map(Visitor.Shown.init)
        )
      }, again: try #require(reply["again"] as? Int), doubtful: try #require(reply["doubtful"] as? Int))
  }

  @Test func slipsAreLookedAtAgainFirstAndBlindly() async throws {
    let right = try (0..<180).map { try fixture.isRight($0) }
    try fixture.score { sample in sample % 3 == 0 ? 0.45 : right[sample] ? 0.97 : 0.03 }
    try await fixture.visit { [workspace] ann, _ in
      // 60 answers, two of each class slips where the model is sure.
      var slips = Set<Int>()
      for label in 0..<3 {
        let images = try await ann.images("/api/classes/\(label)/images?count=20").images
        let mistaken = Set(images.map(\.image).filter { $0 % 3 != 0 }.prefix(2))
        slips.formUnion(mistaken)
        try await ann.answer(
          images.map { image in
            image.answer(right[image.image] != mistaken.contains(image.image) ? "right" : "wrong")
          })
      }
      #expect(slips.count == 6)
      let answered = Set(try workspace.currentAnswers().map(\.sample))
      let drawn = try workspace.verifiedImages().samples.map(\.drawn)
      let page = try await Self.mend(ann)
      #expect(page.kind == "again" && page.again == slips.count)
      let shown = Set(page.images.map(\.image))
      // All slips, mixed with some of which nobody doubts; nothing tells which.
      #expect(shown.isSuperset(of: slips) && shown.isSubset(of: answered) && shown.count > slips.count)
      #expect(page.groups.allSatisfy { $0.suggestion == nil })
      try await ann.answer(page.images.map { $0.answer(right[$0.image] ? "right" : "wrong") })
      for (sample, isRight) in try workspace.verifications() {
        #expect(isRight == right[sample], "\(sample)")
      }
      // The sample is what it was.
      #expect(try workspace.verifiedImages().samples.map(\.drawn) == drawn)

      // Then what is in doubt, grouped by label and suggestion.
      let next = try await Self.mend(ann, count: 60)
      #expect(next.kind == "doubtful" && next.again == 0)
      #expect(next.images.allSatisfy { $0.image % 3 == 0 && !answered.contains($0.image) })
      #expect(next.doubtful == next.images.count && next.images.count > 3)
      #expect(
        next.groups.allSatisfy { group in
          group.suggestion != nil && group.suggestion != group.label
            && group.images.allSatisfy { $0.label == group.label }
        })
      try await ann.answer(next.images.map { $0.answer("right") })
      #expect(try await Self.mend(ann).images.isEmpty)
    }
  }

  @Test func everyTenthImageIsShownToASecondPerson() async throws {
    let right = try (0..<180).map { try fixture.isRight($0) }
    try await fixture.visit { [workspace] ann, server in
      var answered = Set<Int>()
      for label in 0..<3 {
        let page = try await ann.images("/api/classes/\(label)/images?count=40").images
          .filter { $0.label == label }
        answered.formUnion(page.map(\.image))
        try await ann.answer(page.map { $0.answer(right[$0.image] ? "right" : "wrong") })
      }
      // Nobody gets their own.
      #expect(try await Self.mend(ann).kind == "doubtful")
      let bob = try await Visitor(ann.client, server, person: "Bob")
      let queue = try await bob.object(.get, "/api/queue")
      let page = try await Self.mend(bob, count: 60)
      let own = Set(page.images.map(\.image))
      #expect(page.kind == "shared" && queue["shared"] as? Int == own.count && own.count >= 8)
      #expect(own == answered.filter { $0 % 10 == 0 })
      let mistaken = try #require(page.images.first { right[$0.image] })
      try await bob.answer(
        page.images.map { $0.answer(right[$0.image] && $0 != mistaken ? "right" : "wrong") })
      let quality = try #require(try workspace.reviewerQuality()["Bob"])
      #expect(quality.shared == own.count && quality.agreed == own.count - 1 && quality.kappa != nil)
      // A third person is not asked.
      let cid = try await Visitor(ann.client, server, person: "Cid")
      #expect(try await Self.mend(cid).kind == "doubtful")
      #expect(try workspace.currentAnswers().count { $0.isDisputed } == 1)
    }
  }

  @Test func trialsMeasureThePersonAndNothingElse() async throws {
    let right = try (0..<180).map { try fixture.isRight($0) }
    let labels = try workspace.labels().map(Int.init)
    try await fixture.visit { [workspace] ann, _ in
      for _ in 0..<2 {
        let images = try await ann.images("/api/classes/0/images?count=24").images
        try await ann.answer(images.map { $0.answer(right[$0.image] ? "right" : "wrong") })
      }
      let page = try await ann.images("/api/classes/1/images?count=24").images
      let trial = try #require(page.first { labels[$0.image] != 1 })
      #expect(page.count { labels[$0.image] != 1 } == 1 && trial.label == 1 && right[trial.image])
      // It comes on top of the images asked for. The reload shows the same.
      #expect(page.count == 25)
      #expect(try await ann.images("/api/classes/1/images?count=24").images == page)
      let before = try workspace.currentAnswers().first { $0.sample == trial.image }
      try await ann.answer(page.map { $0.answer("right") })
      let record = try #require(try workspace.verificationHistory(sample: trial.image).last)
      #expect(record.origin == .trial && record.label == 1 && record.answer == .right)
      #expect(try workspace.currentAnswers().first { $0.sample == trial.image } == before)
      #expect(try workspace.currentAnswers().count == 48 + 24)
      // One is enough for now.
      let next = try await ann.images("/api/classes/2/images?count=24").images
      #expect(!next.isEmpty && next.allSatisfy { labels[$0.image] == 2 })
    }
  }

  @Test func whatWasAnsweredCanBeTakenBackFromAnywhere() async throws {
    try fixture.score { sample in sample % 4 == 0 ? 0.1 : 0.9 }
    try await fixture.visit { [workspace] ann, server in
      let page = try await ann.images("/api/classes/0/images?count=6").images
      try await ann.answer(page.map { $0.answer("wrong") })
      let one = try await ann.images("/api/classes/1/images?count=1").images
      try await ann.answer(one.map { $0.answer("unsure") })
      // First what it would change, and then the change.
      let would = try await ann.object(.get, "/api/suspects/acceptable?above=0.8")
      let count = try #require(would["count"] as? Int)
      #expect(count > 0 && (would["images"] as? [Any])?.count == min(60, count))
      _ = try await ann.object(.post, "/api/suspects/accept", ["batch": "batch-0001", "above": 0.8])

      // Another browser of the same person.
      let other = try await Visitor(ann.client, token: server.invite("Ann"))
      func actions() async throws -> [[String: Any]] {
        try #require(try await other.object(.get, "/api/history")["actions"] as? [[String: Any]])
      }
      let all = try await actions()
      #expect(all.map { $0["answers"] as? Int } == [count, 1, 6])
      #expect(all.map { $0["isAccepted"] as? Bool } == [true, false, false])
      #expect(all.map { $0["label"] as? Int } == [nil, 1, 0])
      let reply = try await other.object(.post, "/api/undo", ["at": try #require(all[2]["at"])])
      let undone = try #require(reply["undone"] as? [String: Any])
      #expect(undone["count"] as? Int == 6)
      let images = try #require(undone["images"] as? [[String: Any]])
      #expect(images.compactMap { ($0["item"] as? [String: Any])?["image"] as? Int } == page.map(\.image))
      #expect(images.allSatisfy { $0["answer"] as? String == "wrong" })
      #expect(try workspace.verifications().isEmpty)
      #expect(try await actions().count == 2)
      _ = try await other.object(.post, "/api/undo", ["at": try #require(all[0]["at"])])
      #expect(try await actions().map { $0["answers"] as? Int } == [1])
      #expect(try workspace.currentAnswers().count == 1)
      // Nobody else's.
      let bob = try await Visitor(ann.client, server, person: "Bob")
      let none = try await bob.object(.post, "/api/undo", ["at": try #require(all[1]["at"])])
      #expect((none["undone"] as? [String: Any])?["count"] as? Int == 0)
    }
  }

  @Test func whatCannotBeShownIsNotAskedAbout() async throws {
    let labels = try workspace.labels().map(Int.init)
    let bad = try #require(labels.firstIndex(of: 0))
    let file = fixture.folder.appendingPathComponent("\(bad).jpg")
    let bytes = try Data(contentsOf: file)
    try Data("no image".utf8).write(to: file)
    let count = labels.count { $0 == 0 }
    try await fixture.visit { [workspace] ann, _ in
      #expect(try await ann.images("/api/classes/0/images?count=100").left == count)
      #expect(
        try await ann.send(.get, "/api/images/\(ann.pictures)/\(bad)/256").status == .unprocessableContent)
      let shown = try await ann.images("/api/classes/0/images?count=100")
      #expect(shown.left == count - 1 && !shown.images.contains { $0.image == bad })
      try await ann.answer(shown.images.map { $0.answer("right") })
      // It is no gap in the sample either.
      #expect(try workspace.verifiedImages().samples.first?.drawn.count == count - 1)
      #expect(try workspace.problems().map(\.sample) == [bad])
    }
    // Still bad at the next start, then mended.
    try await fixture.visit { ann, _ async throws in
      #expect(try await ann.images("/api/classes/0/images?count=100").left == 0)
    }
    try bytes.write(to: file)
    try await fixture.visit { ann, _ async throws in
      #expect(try await ann.images("/api/classes/0/images?count=100").images.map(\.image) == [bad])
    }
  }
}
