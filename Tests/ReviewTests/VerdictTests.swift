import Foundation
import HTTPTypes
import Testing
import Workspace

@testable import Review

@Suite struct VerdictTests {
  private let fixture: ReviewFixture
  private let server: ReviewServer
  private var workspace: Workspace { fixture.workspace }

  init() throws {
    fixture = try ReviewFixture(count: 60)
    server = try fixture.server()
  }

  private func visit(
    _ people: String..., body: @Sendable @escaping ([Visitor]) async throws -> Void
  ) async throws {
    try await server.visited { [server] client in
      var visitors: [Visitor] = []
      for person in people { visitors.append(try await Visitor(client, server, person: person)) }
      try await body(visitors)
    }
  }

  @Test func whatIsAnsweredIsKeptWithAllThatBelongsToIt() async throws {
    try await visit("Ann") { [workspace] visitors in
      let ann = visitors[0]
      let (images, left) = try await ann.images("/api/classes/0/images?count=12")
      #expect(images.count == 12)
      #expect(left == (try workspace.labels().count { $0 == 0 }))
      let correction = (images[0].label + 1) % 3
      let reply = try await ann.answer([
        images[0].answer("wrong", client: "client-aaa", ["correction": correction]),
        images[1].answer("right"),
        images[2].answer("unsure"),
      ])
      let tally = try #require((reply["classes"] as? [[String: Any]])?.first?["tally"] as? [String: Int])
      #expect((tally["right"], tally["wrong"], tally["unsure"]) == (1, 1, 1))
      let record = try #require(try workspace.verificationHistory().first)
      #expect(record.sample == images[0].image && record.label == images[0].label && record.answer == .wrong)
      #expect(record.person == "Ann" && record.origin == .reviewed && record.dwell == 900)
      #expect(record.client == "client-aaa" && record.correction == correction && record.selection == .drawn)
      #expect(try workspace.verifications().map(\.sample).sorted() == images[..<2].map(\.image).sorted())
    }
  }

  @Test func sentTwiceIsKeptOnce() async throws {
    try await visit("Ann") { [workspace] visitors in
      let image = try #require(try await visitors[0].images("/api/classes/0/images?count=1").images.first)
      let answer = image.answer("wrong")
      for _ in 0..<3 { try await visitors[0].answer([answer]) }
      #expect(try workspace.verificationHistory().count == 1)
    }
  }

  @Test func undoBringsBackWhatWasSaidBefore() async throws {
    try await visit("Ann", "Bob") { [workspace] visitors in
      let ann = visitors[0]
      let bob = visitors[1]
      let image = try #require(try await ann.images("/api/classes/0/images?count=1").images.first)
      func now() throws -> Bool? { try workspace.verifications().first?.isRight }
      try await ann.answer([image.answer("right", client: "client-1")])
      try await ann.answer([image.answer("wrong", client: "client-2")])
      #expect(try now() == false)
      // Nobody undoes what others said.
      let other = try await bob.object(.post, "/api/undo", ["clients": ["client-2"]])
      #expect((other["undone"] as? [String: Any])?["count"] as? Int == 0)
      // The earlier answer is not the last any more.
      _ = try await ann.object(.post, "/api/undo", ["clients": ["client-1"]])
      #expect(try now() == false)
      for _ in 0..<2 { _ = try await ann.object(.post, "/api/undo", ["clients": ["client-2"]]) }
      #expect(try now() == true)
      let undone = try await ann.object(.post, "/api/undo", ["clients": ["client-1"]])
      let taken = try #require((undone["undone"] as? [String: Any])?["images"] as? [[String: Any]])
      #expect(taken.map { $0["answer"] as? String } == ["right"])
      #expect(taken.map { ($0["item"] as? [String: Any])?["image"] as? Int } == [image.image])
      #expect(try now() == nil)
      #expect(try workspace.verificationHistory().map(\.answer) == [.right, .wrong, .right, .withdrawn])
      // It is shown again, and may be answered again.
      #expect(try await ann.images("/api/classes/0/images?count=1").images == [image])
      try await ann.answer([image.answer("wrong", client: "client-3")])
      #expect(try now() == false)
    }
  }

  @Test func whatIsOnTheScreenIsNotShownTwice() async throws {
    try await visit("Ann") { visitors in
      let ann = visitors[0]
      let first = try await ann.images("/api/classes/1/images?count=6").images
      // A reload shows the same page.
      #expect(try await ann.images("/api/classes/1/images?count=6").images == first)
      let shown = first.map { "\($0.image)" }.joined(separator: ",")
      let second = try await ann.images("/api/classes/1/images?count=6&without=\(shown)").images
      #expect(Set(second).isDisjoint(with: first))
      try await ann.answer(first.map { $0.answer("right") })
      #expect(try await ann.images("/api/classes/1/images?count=6").images == second)
    }
  }

  @Test func reviewersDoNotGetTheSameImages() async throws {
    try await visit("Ann", "Bob") { visitors in
      let mine = try await visitors[0].images("/api/classes/0/images?count=8").images
      let theirs = try await visitors[1].images("/api/classes/0/images?count=8").images
      #expect(mine.count == 8 && theirs.count == 8)
      #expect(Set(mine).isDisjoint(with: theirs))
    }
  }

  @Test func disagreementIsShownAndSettled() async throws {
    try await visit("Ann", "Bob", "Cid") { [workspace] visitors in
      let ann = visitors[0]
      let bob = visitors[1]
      let cid = visitors[2]
      let all = try await ann.images("/api/classes/0/images?count=100").images
      try await ann.answer(all.map { $0.answer("right") })
      // Some of one person's images are shown to a second person, and not to a third.
      let shared = try await bob.images("/api/classes/0/images?count=100").images
      #expect(!shared.isEmpty && shared.count < all.count)
      try await bob.answer(shared.map { $0.answer($0 == shared[0] ? "wrong" : "right") })
      #expect(try await cid.images("/api/classes/0/images?count=100").images.isEmpty)
      let disputes = try await cid.object(.get, "/api/disputes")
      let dispute = try #require((disputes["disputes"] as? [[String: Any]])?.first)
      #expect(disputes["count"] as? Int == 1)
      #expect((dispute["item"] as? [String: Any])?["image"] as? Int == shared[0].image)
      // Names are not told before a dispute is settled.
      #expect(Set(dispute.keys) == ["item", "voices"] && dispute["voices"] as? Int == 2)
      // Only who was shown the dispute settles it, whatever a browser says.
      try await ann.answer([shared[0].answer("right", ["settles": true, "selection": "drawn"])])
      #expect(try await cid.object(.get, "/api/disputes")["count"] as? Int == 1)
      try await cid.answer([shared[0].answer("right")])
      #expect(try await cid.object(.get, "/api/disputes")["count"] as? Int == 0)
      #expect(try workspace.verifications().first { $0.sample == shared[0].image }?.isRight == true)
    }
  }

  @Test func whyAnImageWasShownIsTheServersWord() async throws {
    try await visit("Ann") { [workspace] visitors in
      let ann = visitors[0]
      let handed = try await ann.images("/api/classes/0/images?count=5").images
      let label = handed[0].label
      let other = try #require(
        try workspace.labels().indices.first { sample in
          try workspace.labels()[sample] == label && !handed.map(\.image).contains(sample)
        })
      var forged = handed[0].answer("right", ["selection": "drawn"])
      forged["image"] = other
      try await ann.answer(handed.map { $0.answer("right", ["selection": "suspect"]) } + [forged])
      let selections = try workspace.verificationHistory().map(\.selection)
      #expect(selections == [.drawn, .drawn, .drawn, .drawn, .drawn, .wished])
      let samples = try workspace.verifiedImages().samples
      #expect(samples.count == 1 && Set(samples[0].drawn) == Set(handed.map(\.image)))
    }
  }

  @Test func nonsenseIsRefusedWhole() async throws {
    try await visit("Ann") { [workspace] visitors in
      let ann = visitors[0]
      let image = try #require(try await ann.images("/api/classes/0/images?count=1").images.first)
      let bad: [[String: Any]] = [
        image.answer("right", client: "undo:client-1"), image.answer("right", client: "short"),
        image.answer("perhaps"), image.answer("right", ["image": 60]), image.answer("right", ["label": -1]),
        image.answer("wrong", ["correction": 3]), image.answer("wrong", ["correction": image.label]),
        image.answer("right", ["correction": 1]), ["client": "client-12"],
      ]
      for answer in bad {
        let status = try await ann.send(.post, "/api/verdicts", ["answers": [image.answer("right"), answer]])
          .status
        #expect((400..<500).contains(status.code), "\(answer)")
      }
      let many = (0..<300).map { _ in image.answer("right") }
      #expect(try await ann.send(.post, "/api/verdicts", ["answers": many]).status == .contentTooLarge)
      #expect(try workspace.verificationHistory().isEmpty)
    }
  }

  @Test func verdictsOfOtherProgramsAreSeen() async throws {
    try await visit("Ann") { [workspace] visitors in
      let first = try #require(try await visitors[0].images("/api/classes/0/images?count=1").images.first)
      try workspace.addVerifications([
        VerificationRecord(
          sample: first.image, label: first.label, answer: .right, person: "import", origin: .imported)
      ])
      let overview = try await visitors[0].object(.get, "/api/overview")
      let classes = try #require(overview["classes"] as? [[String: Any]])
      #expect((classes.first { $0["label"] as? Int == 0 }?["tally"] as? [String: Int])?["right"] == 1)
      #expect(try await visitors[0].images("/api/classes/0/images?count=1").images != [first])
    }
  }

  @Test func manyAtOnceLoseNothing() async throws {
    try await visit("Ann", "Bob", "Cid", "Dee") { [workspace] visitors in
      var expected = 0
      try await withThrowingTaskGroup(of: Int.self) { group in
        for visitor in visitors {
          group.addTask {
            var kept = 0
            for label in 0..<3 {
              while true {
                let images = try await visitor.images("/api/classes/\(label)/images?count=3").images
                guard !images.isEmpty else { break }
                try await visitor.answer(images.map { $0.answer("right") })
                kept += images.count
              }
            }
            return kept
          }
        }
        for try await kept in group { expected += kept }
      }
      #expect(try workspace.verificationHistory().count == expected)
      #expect(try workspace.verifications().count == 60)
    }
  }
}
