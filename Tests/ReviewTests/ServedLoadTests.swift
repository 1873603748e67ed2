import Foundation
import TestServer
import Testing
import Workspace

@testable import Review

/// Many reviewers at the program that users start, which is killed in the end.
@Suite struct ServedLoadTests {
  /// A reviewer's browser, as the server sees it.
  private struct Client {
    let port: Int
    var cookie = ""

    /// Enters by a link.
    init(_ link: String, port: Int) async throws {
      self.port = port
      let token = try #require(link.split(separator: "=").last).description
      let response = try await post("enter", ["token": token])
      cookie = try #require(response.header("Set-Cookie")?.split(separator: ";").first).description
    }

    @discardableResult
    func post(_ path: String, _ body: [String: Any]) async throws -> TestClient.Response {
      let response = try await TestClient.send(
        "POST", port: port, "/api/\(path)",
        headers: [
          ("Origin", "http://127.0.0.1:\(port)"), ("X-CleanNet", "1"), ("Content-Type", "application/json"),
          ("Cookie", cookie),
        ], body: Array(try JSONSerialization.data(withJSONObject: body)))
      #expect(response.status == 200)
      return response
    }
  }

  /// As fast as they can, every third answer sent twice: what was acknowledged is there, once.
  @Test func twentyReviewersLoseNothing() async throws {
    let fixture = try ReviewFixture(large: 400)
    let people = (0..<20).map { "reviewer \($0)" }
    let program = try await ReviewProgram(fixture, reviewers: people)
    let acknowledged = try await withThrowingTaskGroup(of: [String: Int].self) { group in
      for (number, link) in program.links.enumerated() {
        group.addTask {
          let client = try await Client(link, port: program.port)
          var kept: [String: Int] = [:]
          for sample in stride(from: number, to: 400, by: people.count) {
            let name = UUID().uuidString
            let answer: [String: Any] = [
              "client": name, "image": sample, "label": 0, "answer": sample % 3 == 0 ? "wrong" : "right",
              "dwell": 700,
            ]
            for _ in 0..<(sample % 3 == 1 ? 2 : 1) {
              try await client.post("verdicts", ["answers": [answer]])
            }
            kept[name] = sample
          }
          return kept
        }
      }
      return try await group.reduce(into: [:]) { $0.merge($1) { $1 } }
    }
    await program.server.stop()
    let history = try fixture.workspace.verificationHistory()
    #expect(history.count == 400 && acknowledged.count == 400)
    for record in history {
      #expect(record.client.flatMap { acknowledged[$0] } == record.sample)
      #expect(record.answer == (record.sample % 3 == 0 ? .wrong : .right))
      #expect(record.person == people[record.sample % people.count])
    }
  }
}
