import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import Review

@Suite struct AccessTests {
  private let fixture: ReviewFixture
  private let server: ReviewServer

  init() throws {
    fixture = try ReviewFixture(count: 12)
    server = try fixture.server()
  }

  private func visit(_ body: @Sendable @escaping (RouterClient) async throws -> Void) async throws {
    try await server.visited(body)
  }

  @Test func nothingIsToldWithoutASession() async throws {
    try await visit { client async throws in
      let stranger = Visitor(client)
      for path in [
        "overview", "queue", "me", "classes/0/images", "images/x/0/256", "suspects", "mend", "history",
        "reviewers", "suspects/acceptable", "events", "keys",
      ] {
        #expect(try await stranger.send(.get, "/api/\(path)").status == .unauthorized, "\(path)")
      }
      for path in [
        "verdicts", "undo", "retrain", "invitations", "me", "suspects/accept", "leave", "reviewers/end",
      ] {
        #expect(try await stranger.send(.post, "/api/\(path)", [:]).status == .unauthorized, "\(path)")
      }
      var forger = stranger
      forger.cookie = "cleannet-000000000000=\(Secret.make())"
      #expect(try await forger.send(.get, "/api/me").status == .unauthorized)
    }
  }

  @Test func aTokenWorksOnce() async throws {
    try await visit { [server] client in
      let token = server.invite("Ann")
      let first = try await Visitor(client).send(.post, "/api/enter", ["token": token])
      #expect(first.status == .ok)
      let cookie = try #require(first.headers[.setCookie])
      #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
      #expect(try await Visitor(client).send(.post, "/api/enter", ["token": token]).status == .unauthorized)
    }
  }

  @Test func browsersStayInAfterARestart() async throws {
    let cookies = Cookies()
    try await visit { [server] client in
      await cookies.keep(try await Visitor(client, server, person: "Ann").cookie)
    }
    let file = fixture.folder.appendingPathComponent("w/review/sessions.json").path
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    try await fixture.server().visited { client async throws in
      var ann = Visitor(client)
      ann.cookie = await cookies.kept
      #expect(try await ann.object(.get, "/api/me")["person"] as? String == "Ann")
    }
  }

  private actor Cookies {
    private(set) var kept: String?
    func keep(_ cookie: String?) { kept = cookie }
  }

  @Test func foreignPagesChangeNothing() async throws {
    try await visit { [server] client in
      var ann = try await Visitor(client, server, person: "Ann")
      ann.origin = "http://evil.example"
      #expect(try await ann.send(.post, "/api/verdicts", ["answers": []]).status == .forbidden)
      #expect(try await ann.send(.post, "/api/enter", ["token": server.invite()]).status == .forbidden)
      // A form cannot send the header.
      let form = try await client.send(
        .post, "/api/verdicts",
        headers: [.origin: "http://localhost", .cookie: ann.cookie ?? ""], body: ByteBuffer(string: "{}"))
      #expect(form.status == .forbidden)
    }
  }

  @Test func hostNames() {
    let local = AllowedHosts(ReviewConfiguration())
    for host in ["127.0.0.1:80", "localhost:8080", "[::1]:8080", "LOCALHOST", "localhost"] {
      #expect(local.contains(host), "\(host)")
    }
    for host in [
      "evil.example:80", "127.0.0.1.evil.example", "192.168.0.7:80", "", "localhost.evil.example:1",
    ] {
      #expect(!local.contains(host), "\(host)")
    }
    var configuration = ReviewConfiguration()
    configuration.address = "0.0.0.0"
    configuration.hostNames = ["lab.example"]
    let open = AllowedHosts(configuration)
    for host in ["192.168.0.7:80", "lab.example:8080", "[fe80::1]:80"] {
      #expect(open.contains(host), "\(host)")
    }
    for host in ["evil.example:80", "1.2.3.4.evil.example", "[evil]:80"] {
      #expect(!open.contains(host), "\(host)")
    }
  }

  @Test func imagesByNumberOnly() async throws {
    try await visit { [server] client in
      let ann = try await Visitor(client, server, person: "Ann")
      let image = try await ann.send(.get, "/api/images/\(ann.pictures)/3/256")
      #expect(image.status == .ok)
      #expect(image.headers[.contentType] == "image/jpeg")
      #expect(Array(buffer: image.body).starts(with: [0xFF, 0xD8]))
      for path in [
        "999/256", "-1/256", "3/257", "..%2F..%2Fetc%2Fpasswd/256", "%2e%2e/256", "3.jpg/256",
        "9223372036854775808/256", "9223372036854775807/256", "-9223372036854775808/256",
      ] {
        let place = "/api/images/\(ann.pictures)/\(path)"
        #expect(try await ann.send(.get, place).status == .notFound, "\(path)")
      }
    }
  }

  @Test func thePageIsBoundByItsHeaders() async throws {
    try await visit { client in
      let page = try await Visitor(client).send(.get, "/")
      #expect(page.status == .ok)
      let policy = try #require(page.headers[.contentSecurityPolicy])
      #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
      #expect(page.headers[.xContentTypeOptions] == "nosniff")
      let html = String(buffer: page.body)
      // Inline scripts and styles would not run.
      #expect(!html.contains("<style") && !html.contains("style=") && !html.contains("onclick="))
      let names = html.matches(of: /"(\/assets\/[a-z.]+)"/).map { String($0.1) }
      #expect(names.count >= 4)
      for name in names { #expect(try await Visitor(client).send(.get, name).status == .ok, "\(name)") }
    }
  }

  @Test func bodiesAndRatesAreBounded() async throws {
    try await visit { [server] client in
      let ann = try await Visitor(client, server, person: "Ann")
      let large = ["person": String(repeating: "a", count: ReviewConfiguration.maximumBody)]
      #expect(try await ann.send(.post, "/api/me", large).status == .contentTooLarge)
    }
    // A burst of ten, and then almost none.
    let slow = try fixture.server { $0.rate = (perSecond: 1e-6, burst: 10) }
    try await slow.visited { client in
      let ann = try await Visitor(client, slow, person: "Ann")
      var statuses: [Int] = []
      for _ in 0..<12 { statuses.append(try await ann.send(.get, "/api/me").status.code) }
      #expect(statuses == Array(repeating: 200, count: 10) + [429, 429])
    }
  }

  @Test func buckets() {
    var bucket = TokenBucket(perSecond: 10, burst: 3)
    let start = ContinuousClock.now
    #expect((0..<4).map { _ in bucket.take(at: start) } == [true, true, true, false])
    #expect((0..<2).map { _ in bucket.take(at: start + .milliseconds(100)) } == [true, false])
    #expect((0..<4).map { _ in bucket.take(at: start + .seconds(9)) } == [true, true, true, false])
  }

  @Test func namesArePlain() async throws {
    #expect(Sessions.personName("  Ann ") == "Ann")
    for bad in ["", "  ", "a\nb", String(repeating: "a", count: 65)] {
      #expect(Sessions.personName(bad) == nil)
    }
    try await visit { [server] client in
      let guest = try await Visitor(client, server, person: "")
      #expect(try await guest.send(.post, "/api/verdicts", ["answers": []]).status == .forbidden)
      #expect(try await guest.send(.post, "/api/me", ["person": "a\u{7}b"]).status == .unprocessableContent)
      #expect(try await guest.object(.post, "/api/me", ["person": " Bob "])["person"] as? String == "Bob")
      #expect(try await guest.send(.post, "/api/verdicts", ["answers": []]).status == .ok)
    }
  }

  @Test func nobodyTakesAnothersName() async throws {
    try await visit { [server] client in
      let ann = try await Visitor(client, server, person: "Ann")
      func link(_ person: String) async throws -> String {
        let invitation = try await ann.object(.post, "/api/invitations", ["person": person])
        return try #require(invitation["token"] as? String)
      }
      func call(_ visitor: Visitor, _ person: String) async throws -> Int {
        try await visitor.send(.post, "/api/me", ["person": person]).status.code
      }
      // A name in the link stays.
      let bob = try await Visitor(client, token: try await link("Bob"))
      #expect(try await bob.object(.get, "/api/me")["person"] as? String == "Bob")
      for (name, status) in [("Ann", 409), ("Cid", 409), ("Bob", 200)] {
        #expect(try await call(bob, name) == status, "\(name)")
      }
      // A person who says their name cannot take the name of anybody who is in, was invited or has answered.
      _ = try await link("Dee")
      let guest = try await Visitor(client, token: try await link(""))
      for name in ["Ann", " ann", "BOB", "dee", "a n n"] {
        #expect(try await call(guest, name) == 409, "\(name)")
      }
      #expect(try await call(guest, "Eve") == 200)
      let image = try #require(try await guest.images("/api/classes/0/images?count=1").images.first)
      try await guest.answer([image.answer("right")])
      #expect(try await call(guest, "Fay") == 409)
      // Guests let nobody in and send nobody away.
      #expect(try await guest.send(.post, "/api/invitations", [:]).status == .forbidden)
      #expect(try await guest.send(.get, "/api/reviewers").status == .forbidden)
      #expect(try await guest.send(.post, "/api/reviewers/end", ["tag": "x"]).status == .forbidden)
      // A person who has left, or was sent away, cannot come back by the old cookie; their name stays theirs.
      let reviewers = try await ann.object(.get, "/api/reviewers")["reviewers"] as? [[String: Any]]
      let eve = try #require(reviewers?.first { $0["person"] as? String == "Eve" }?["tag"] as? String)
      _ = try await ann.object(.post, "/api/reviewers/end", ["tag": eve])
      #expect(try await guest.send(.get, "/api/me").status == .unauthorized)
      #expect(try await bob.send(.post, "/api/leave", [:]).status == .ok)
      #expect(try await bob.send(.get, "/api/me").status == .unauthorized)
      let other = try await Visitor(client, token: try await link(""))
      #expect(try await call(other, "eve") == 409)
    }
  }

  @Test func imagesOfAnotherWorkspaceHaveOtherAddresses() async throws {
    // The same images, imported under the same path again, as on another machine behind the same tunnel.
    var names = Set<String>()
    for _ in 0..<2 {
      try FileManager.default.removeItem(atPath: fixture.workspace.path)
      let workspace = try fixture.importAgain()
      let server = try ReviewServer(workspace, backend: ShortTraining(workspace: workspace))
      let known = names
      let name = Kept()
      try await server.visited { client in
        let ann = try await Visitor(client, server, person: "Ann")
        await name.keep(ann.pictures)
        #expect(try await ann.send(.get, "/api/images/\(ann.pictures)/0/256").status == .ok)
        for other in known {
          #expect(try await ann.send(.get, "/api/images/\(other)/0/256").status == .notFound)
        }
      }
      names.insert(try #require(await name.kept))
    }
    #expect(names.count == 2)
  }

  private actor Kept {
    private(set) var kept: String?
    func keep(_ text: String) { kept = text }
  }
}
