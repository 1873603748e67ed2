import Foundation
import Pipeline
import Testing
import Workspace

@testable import Review

/// One verdict for many images: suspects by pairs of classes, images that look alike, the map, and copies.
@Suite struct ManyTests {
  private let fixture: ReviewFixture
  private var workspace: Workspace { fixture.workspace }

  init() throws { fixture = try ReviewFixture() }

  /// Waits for what is made in the background.
  private static func until<Value>(_ body: () async throws -> Value?) async throws -> Value {
    for _ in 0..<1200 {
      if let value = try await body() { return value }
      try await Task.sleep(for: .milliseconds(100))
    }
    throw NeverCame()
  }

  private struct NeverCame: Error {}

  @Test func suspectsComeByWhatTheyAreTakenFor() async throws {
    let right = try (0..<180).map { try fixture.isRight($0) }
    try fixture.score { sample in right[sample] ? 0.97 : 0.03 }
    let labels = try workspace.labels().map(Int.init)
    let truth = try fixture.truth.map { try fixture.label($0) }
    try await fixture.visit { [workspace] ann, _ in
      func pairs() async throws -> [[String: Any]] {
        try #require(try await ann.object(.get, "/api/suspects/pairs")["pairs"] as? [[String: Any]])
      }
      let all = try await pairs()
      let counts = all.compactMap { $0["count"] as? Int }
      #expect(counts.reduce(0, +) == right.count { !$0 } && counts == counts.sorted(by: >))
      let first = try #require(all.first)
      let label = try #require(first["label"] as? Int)
      let suggestion = try #require(first["suggestion"] as? Int)
      #expect((first["images"] as? [Int])?.count == 4)
      let shown = try await ann.images("/api/suspects?class=\(label)&suggestion=\(suggestion)&count=100")
      #expect(shown.left == counts[0] && shown.images.count == counts[0])
      #expect(shown.images.allSatisfy { labels[$0.image] == label && truth[$0.image] == suggestion })
      try await ann.answer(
        shown.images.dropLast().map { $0.answer("wrong", ["correction": suggestion]) })
      #expect(try workspace.currentAnswers().allSatisfy { $0.selection == .suspect })
      let rest = try await pairs().first {
        $0["label"] as? Int == label && $0["suggestion"] as? Int == suggestion
      }
      #expect(rest?["count"] as? Int == 1)
    }
  }

  @Test func imagesThatLookAlikeComeTogether() async throws {
    let truth = fixture.truth
    try await fixture.visit { [workspace] ann, server in
      let found = try await ann.object(.get, "/api/similar/3?count=25")
      let items = try #require(found["images"] as? [[String: Any]])
      // Neither the model's opinion nor the file's name is sent.
      #expect(items.allSatisfy { Set($0.keys) == ["image", "label"] })
      let images = items.map(Visitor.Shown.init)
      #expect(images.count == 25 && images[0].image == 3 && Set(images.map(\.image)).count == 25)
      #expect(images.count { truth[$0.image] == truth[3] } >= 23)
      // Answered images are not asked again; others do not get what is on this screen.
      let bob = try await Visitor(ann.client, server, person: "Bob")
      let others = try await bob.images("/api/similar/3?count=25").images
      #expect(Set(others.map(\.image)).isDisjoint(with: images.map(\.image)))
      try await ann.answer(images.map { $0.answer("right") })
      #expect(try workspace.currentAnswers().allSatisfy { $0.selection == .wished })
      let next = try await ann.images("/api/similar/3?count=25").images
      #expect(Set(next.map(\.image)).isDisjoint(with: images.map(\.image)))
      #expect(try await ann.send(.get, "/api/similar/99999").status == .notFound)
      #expect(try await ann.send(.get, "/api/similar/9223372036854775807").status == .notFound)
      #expect(try await ann.send(.get, "/api/similar/-1").status == .notFound)
    }
  }

  @Test func withoutFeaturesNothingIsCompared() async throws {
    let server = try ReviewFixture(large: 20).server()
    try await server.visited { client in
      let ann = try await Visitor(client, server, person: "Ann")
      #expect(try await ann.send(.get, "/api/similar/3").status == .notFound)
      // The map says so, too, once it was asked for.
      let status = try await Self.until {
        let answer = try await ann.send(.get, "/api/map")
        return answer.status == .ok ? nil : answer
      }
      #expect(status.status == .unprocessableContent)
      #expect(String(buffer: status.body).contains("cleannet embed"))
    }
  }

  @Test func chosenImagesAreHandedOutInTheirOrder() async throws {
    try await fixture.visit { ann, _ in
      let first = try await ann.images("/api/classes/0/images?count=2").images
      try await ann.answer(first.map { $0.answer("right") })
      let open = [40, 7, 12, 3, 55].filter { image in !first.contains { $0.image == image } }
      let wished = [open[0], first[0].image, open[1], 99_999, -1, open[2]]
      let list = wished.map(String.init).joined(separator: ",")
      let images = try await ann.images("/api/chosen?images=\(list)").images
      #expect(images.map(\.image) == Array(open.prefix(3)))
      #expect(try await ann.images("/api/chosen?images=").images.isEmpty)
      #expect(try await ann.images("/api/chosen?images=,x,").images.isEmpty)
    }
  }

  @Test func whatPeopleChoseIsLikely() async throws {
    try await fixture.visit { ann, _ in
      func likely() async throws -> [Int] {
        try #require(try await ann.object(.get, "/api/classes/0/likely")["labels"] as? [Int])
      }
      let before = try await likely()
      #expect(Set(before) == [1, 2])
      let images = try await ann.images("/api/classes/0/images?count=2").images
      try await ann.answer(images.map { $0.answer("wrong", ["correction": before[1]]) })
      #expect(try await likely() == before.reversed())
      #expect(try await ann.send(.get, "/api/classes/3/likely").status == .notFound)
    }
  }

  @Test func theMapKeepsTogetherWhatLooksAlike() async throws {
    let truth = fixture.truth
    let labels = try workspace.labels().map(Int.init)
    try await fixture.visit { ann, _ in
      func points(_ query: String) async throws -> [[String: Any]] {
        try await Self.until { try await ann.object(.get, "/api/map\(query)")["points"] as? [[String: Any]] }
      }
      let all = try await points("")
      #expect(all.count == 180)
      let places = try all.map { point in
        (
          image: try #require(point["image"] as? Int), x: try #require(point["x"] as? Double),
          y: try #require(point["y"] as? Double)
        )
      }
      #expect(places.allSatisfy { (0...1).contains($0.x) && (0...1).contains($0.y) })
      let together = places.count { one in
        let nearest = places.filter { $0.image != one.image }
          .min { hypot($0.x - one.x, $0.y - one.y) < hypot($1.x - one.x, $1.y - one.y) }
        return truth[nearest?.image ?? 0] == truth[one.image]
      }
      #expect(together >= 162)
      let own = try await points("?class=1")
      #expect(
        own.compactMap { $0["image"] as? Int }.sorted() == labels.indices.filter { labels[$0] == 1 })
      #expect(try await ann.send(.get, "/api/map?class=7").status == .notFound)
    }
  }

  @Test func oneOfSeveralCopiesStays() async throws {
    func file(_ number: Int) -> URL { fixture.folder.appendingPathComponent("\(number).jpg") }
    for copy in [6, 9] { try Data(contentsOf: file(5)).write(to: file(copy)) }
    let folder = fixture.folder
    try await fixture.visit { [workspace] ann, _ in
      #expect(try await ann.object(.get, "/api/copies")["groups"] == nil)
      // Nobody has looked yet.
      #expect(try await ann.send(.post, "/api/copies", ["keep": 5]).status == .unprocessableContent)
      _ = try await ann.object(.post, "/api/copies/search", [:])
      func groups(_ query: String = "") async throws -> [(images: [Int], kept: Int?)] {
        let list = try await Self.until {
          try await ann.object(.get, "/api/copies\(query)")["groups"] as? [[String: Any]]
        }
        return try list.map { group in
          let images = try #require(group["images"] as? [[String: Any]])
          return (images.compactMap { $0["image"] as? Int }, group["kept"] as? Int)
        }
      }
      let found = try #require(try await groups().first { $0.images.contains(5) })
      #expect(Set(found.images).isSuperset(of: [5, 6, 9]) && found.kept == nil)
      _ = try await ann.object(.post, "/api/copies", ["keep": 6])
      #expect(try workspace.copies().filter { $0.value == 6 }.count == found.images.count - 1)
      #expect(try await !groups().contains { $0.images.contains(5) })
      #expect(try await groups("?decided=yes").map(\.kept) == [6])
      // The export leaves the others out, and judges nobody's label by it.
      func exported(_ name: String) throws -> Set<String> {
        var export = DatasetExport(format: "manifest")
        export.wrong = .keep
        let path = folder.appendingPathComponent(name).path
        _ = try export.write(workspace, to: path)
        return Set(
          try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { String($0) })
      }
      let rows = try exported("without.csv")
      #expect(rows.count == 1 + 180 - (found.images.count - 1))
      #expect(rows.contains { $0.contains("/6.jpg") || $0.hasPrefix("6.jpg") })
      #expect(!rows.contains { $0.contains("/5.jpg") || $0.hasPrefix("5.jpg") })
      #expect(try workspace.currentAnswers().isEmpty)
      // Another choice takes the place of the first; then all stay.
      _ = try await ann.object(.post, "/api/copies", ["keep": 9])
      #expect(try await groups("?decided=yes").map(\.kept) == [9])
      _ = try await ann.object(.post, "/api/copies", ["all": 9])
      #expect(try workspace.copies().isEmpty)
      #expect(try exported("with.csv").count == 181)
      #expect(try await ann.send(.post, "/api/copies", ["keep": 9_000_000]).status == .unprocessableContent)
    }
    // The result is known at the next start.
    try await fixture.visit { ann, _ async throws in
      #expect(try await ann.object(.get, "/api/copies")["groups"] != nil)
    }
  }
}
