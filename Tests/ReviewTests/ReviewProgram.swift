import Foundation
import TestPrograms
import Testing

/// `cleannet review`, as a user starts it.
struct ReviewProgram {
  let server: ServerProcess
  let port: Int
  /// The link for each reviewer.
  let links: [String]

  /// - Parameter port: 0: any that is free.
  /// - Parameter glance: Pages saved faster than this many seconds per image are asked about; browsers in tests are
  ///   fast.
  init(
    _ fixture: ReviewFixture, port: Int = 0, reviewers: [String] = ["Ann"], glance: Int = 0
  ) async throws {
    let output = fixture.folder.appendingPathComponent("\(UUID().uuidString).out")
    server = try ServerProcess(
      ChildProcess.cleannet,
      ["review", "--workspace", fixture.workspace.path, "--port", "\(port)", "--glance", "\(glance)"]
        + reviewers.flatMap { ["--reviewer", $0] }, output: output)
    // The links come at once; the last tells that all are there.
    _ = try await server.printed(
      reviewers.count == 1 ? /(#token=[0-9a-f]{64})/ : try Regex("\(reviewers.last ?? ""): (http.*)\n"))
    let text = try String(contentsOf: output, encoding: .utf8)
    links = text.matches(of: /http:\S+#token=[0-9a-f]{64}/).map { String($0.output) }
    let address = try #require(links.first.flatMap(URL.init(string:)))
    self.port = try #require(address.port)
  }

  var address: String { "http://127.0.0.1:\(port)/" }
}
