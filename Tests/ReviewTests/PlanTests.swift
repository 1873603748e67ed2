import Foundation
import Testing
import Workspace

@testable import Review

/// Plans for a wished end, and what came of them.
@Suite struct PlanTests {
  private static let scored = ReviewPlan.Facts(
    isScored: true, contradicted: [0.99, 0.9], contradictedWrong: 2,
    doubts: (0..<300).map { 0.5 - Double($0) * 0.001 }, sample: 120, wrong: 4, kept: 0.8,
    expectedWrong: 0.005, open: 5000, seconds: 0.5)

  @Test func timeIsSpentOnLooksMeasuresAndMending() {
    let plan = ReviewPlan(.minutes(5), Self.scored)
    // 600 images of half a second: all second looks, a fourth for measuring, the rest for mending.
    #expect(plan.images == 600 && plan.minutes == 5 && plan.isReached)
    #expect(plan.steps.map(\.kind) == [.again, .measure, .mend])
    #expect(plan.steps[0].images == 3 && plan.steps[2].images == 300)
    #expect(plan.mended > 100 && (plan.upper ?? 1) < 0.07)
    // Measuring comes first where a bound says little.
    var early = Self.scored
    early.sample = 10
    early.wrong = 1
    let first = ReviewPlan(.minutes(1), early)
    #expect(first.images == 120)
    #expect(first.steps.first { $0.kind == .measure }?.images ?? 0 >= 58)
    // No more than there is.
    var few = Self.scored
    few.open = 20
    few.doubts = []
    #expect(ReviewPlan(.minutes(60), few).images <= 23)
  }

  @Test func aBoundIsPromisedOnlyWhereItCanBe() throws {
    let plan = ReviewPlan(.wrong(0.03), Self.scored)
    #expect(plan.isReached && (plan.upper ?? 1) <= 0.03)
    #expect(plan.steps.map(\.kind) == [.again, .measure])
    let easier = ReviewPlan(.wrong(0.06), Self.scored)
    #expect(easier.images < plan.images)
    // Random images cannot show less than there is.
    var noisy = Self.scored
    noisy.expectedWrong = 0.05
    let hopeless = ReviewPlan(.wrong(0.03), noisy)
    #expect(!hopeless.isReached && hopeless.steps.contains { $0.kind == .mend })
    #expect(hopeless.text.contains("Set the doubtful labels right first"))
    let before = ReviewPlan(.wrong(0.03), .init(isScored: false, open: 500))
    #expect(!before.isReached && before.upper == nil && before.text.contains("train"))
  }

  @Test func whatWasPromisedIsComparedWithWhatHappened() async throws {
    let fixture = try ReviewFixture()
    let workspace = fixture.workspace
    let right = try (0..<180).map { try fixture.isRight($0) }
    // Decisions on every third label are close, and mistaken.
    try fixture.score { sample in
      sample % 3 == 0 ? (right[sample] ? 0.45 : 0.55) : right[sample] ? 0.97 : 0.03
    }
    let server = try fixture.server()
    try await server.visited { client in
      let ann = try await Visitor(client, server, person: "Ann")
      for label in 0..<3 {
        let page = try await ann.images("/api/classes/\(label)/images?count=24").images
        try await ann.answer(page.map { $0.answer(right[$0.image] ? "right" : "wrong") })
      }
      #expect(try await ann.object(.get, "/api/plan")["standing"] == nil)
      // Asked alone, nothing is begun.
      let asked = try await ann.object(.get, "/api/plan?minutes=1")
      #expect(asked["plan"] != nil && asked["standing"] == nil)
      #expect(try await ann.object(.get, "/api/plan")["standing"] == nil)
      let begun = try await ann.object(.post, "/api/plan", ["minutes": 10])
      let plan = try #require(begun["plan"] as? [String: Any])
      let steps = try #require(plan["steps"] as? [[String: Any]])
      #expect(steps.contains { $0["kind"] as? String == "mend" })
      let page = try #require(try await ann.object(.get, "/api/mend?count=24")["groups"] as? [[String: Any]])
      let images = page.flatMap { ($0["images"] as? [[String: Any]] ?? []).map(Visitor.Shown.init) }
      try await ann.answer(images.map { $0.answer(right[$0.image] ? "right" : "wrong") })
      let standing = try #require(try await ann.object(.get, "/api/plan")["standing"] as? [String: Any])
      #expect(standing["looked"] as? Int == images.count)
      #expect(standing["mended"] as? Int == images.count && !images.isEmpty)
      #expect((standing["text"] as? String)?.contains("\(images.count) mistaken decisions set right") == true)
      // Answers that are taken back do not count, and others have no plan.
      let actions = try #require(try await ann.object(.get, "/api/history")["actions"] as? [[String: Any]])
      _ = try await ann.object(.post, "/api/undo", ["at": try #require(actions.first?["at"])])
      let after = try #require(try await ann.object(.get, "/api/plan")["standing"] as? [String: Any])
      #expect(after["looked"] as? Int == 0 && after["mended"] as? Int == 0)
      let bob = try await Visitor(client, server, person: "Bob")
      #expect(try await bob.object(.get, "/api/plan")["standing"] == nil)
      for wish in [["minutes": 0], ["wrong": 1.5], ["minutes": 5, "wrong": 0.1], [:]] as [[String: Double]] {
        #expect(try await ann.send(.post, "/api/plan", wish).status == .unprocessableContent)
      }
      #expect(try workspace.runs(stage: "review-plan").count == 1)
    }
  }
}
