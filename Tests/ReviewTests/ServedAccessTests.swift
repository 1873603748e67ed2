import Foundation
import Testing

@testable import Review

/// The requests that the program lets in, as users start it, asked over its socket.
@Suite(.serialized) struct ServedAccessTests {
  private let fixture: ReviewFixture

  init() throws { fixture = try ReviewFixture(count: 12) }

  /// A request as a browser with a session would send it, except for what is changed.
  private struct Request {
    var method = "GET"
    var path: String
    var host: String?
    var origin: String?
    var cookie: String?
    var fields = ["X-CleanNet": "1"]
    var body = ""

    func text(closing: Bool = true) -> String {
      var lines = ["\(method) \(path) HTTP/1.1"]
      if let host { lines.append("Host: \(host)") }
      if let origin { lines.append("Origin: \(origin)") }
      if let cookie { lines.append("Cookie: \(cookie)") }
      lines += fields.map { "\($0): \($1)" }
      if !body.isEmpty { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
      if closing { lines.append("Connection: close") }
      return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }
  }

  /// Starts the program.
  private func serve(_ body: (ReviewProgram, Door) async throws -> Void) async throws {
    let program = try await ReviewProgram(fixture)
    try await body(program, Door(port: program.port))
    await program.server.stop()
  }

  /// Sends requests to the program.
  private struct Door {
    let port: Int
    var host: String { "127.0.0.1:\(port)" }

    func request(_ path: String, post body: String? = nil, cookie: String? = nil) -> Request {
      Request(
        method: body == nil ? "GET" : "POST", path: path, host: host, origin: "http://\(host)",
        cookie: cookie,
        body: body ?? "")
    }

    func send(_ request: Request) async throws -> RawConnection.Answer {
      try await Blocking.run {
        let connection = try RawConnection(port: port)
        connection.send(request.text())
        return try connection.answer()
      }
    }

    /// The statuses of the same request, sent again and again over one connection.
    func statuses(_ request: Request, times: Int) async throws -> [Int] {
      try await Blocking.run {
        let connection = try RawConnection(port: port)
        let text = request.text(closing: false)
        let batch = 50
        return stride(from: 0, to: times, by: batch).flatMap { _ in
          connection.send(String(repeating: text, count: batch))
          return connection.statuses(batch)
        }
      }
    }

    /// The beginning of the images' addresses.
    func pictures(_ cookie: String) async throws -> String {
      let body = try await send(request("/api/me", cookie: cookie)).body
      return try #require(body.firstMatch(of: #/"pictures":"([0-9a-f]+)"/#)).output.1.description
    }

    /// Exchanges a link's token for a session's cookie.
    func enter(_ link: String) async throws -> String {
      let token = try #require(link.split(separator: "=").last)
      let answer = try await send(request("/api/enter", post: #"{"token":"\#(token)"}"#))
      #expect(answer.status == 200)
      return try #require(answer.fields["set-cookie"]?.split(separator: ";").first.map(String.init))
    }
  }

  @Test func foreignRequestsAreRefused() async throws {
    try await serve { program, door in
      let cookie = try await door.enter(program.links[0])
      let me = door.request("/api/me", cookie: cookie)
      #expect(try await door.send(me).status == 200)

      // Names that are not ours, though they may lead here (DNS rebinding); HTTP/1.1 demands one.
      for host in [
        "evil.example", "evil.example:\(door.port)", "127.0.0.1.evil.example", "192.168.0.1:\(door.port)", "",
      ] {
        var foreign = me
        foreign.host = host
        let answer = try await door.send(foreign)
        #expect([421, 400].contains(answer.status) && !answer.body.contains("Ann"), "\(host)")
        foreign.path = "/"
        #expect(try await door.send(foreign).status == answer.status, "\(host)")
      }
      for host in ["localhost:\(door.port)", "LOCALHOST", "[::1]:\(door.port)"] {
        var own = me
        own.host = host
        #expect(try await door.send(own).status == 200, "\(host)")
      }

      // Pages of others cannot change anything, with the reviewer's cookie or not.
      let change = door.request("/api/verdicts", post: #"{"answers":[]}"#, cookie: cookie)
      #expect(try await door.send(change).status == 200)
      for origin in ["http://evil.example", "https://\(door.host)", "http://127.0.0.1:1", "null", nil] {
        var foreign = change
        foreign.origin = origin
        #expect(try await door.send(foreign).status == 403, "\(origin ?? "none")")
      }
      var form = change
      form.fields = [:]
      #expect(try await door.send(form).status == 403)

      // No session, or one that was made up; a token that was made up, or used already.
      for cookie in [nil, "", "cleannet=1", cookie.dropLast(4) + "0000"] as [String?] {
        var stranger = me
        stranger.cookie = cookie
        #expect(try await door.send(stranger).status == 401, "\(cookie ?? "none")")
      }
      let used = try #require(program.links[0].split(separator: "=").last)
      for token in [String(used), Secret.make(), ""] {
        let body = #"{"token":"\#(token)"}"#
        #expect(try await door.send(door.request("/api/enter", post: body)).status == 401)
      }
    }
  }

  @Test func nothingButImagesAndThePageIsServed() async throws {
    try await serve { program, door in
      let cookie = try await door.enter(program.links[0])
      let image = try await door.send(
        door.request("/api/images/\(try await door.pictures(cookie))/3/256", cookie: cookie))
      #expect(image.status == 200 && image.fields["content-type"] == "image/jpeg")
      for path in [
        "/api/images/../../etc/passwd", "/api/images/..%2f..%2fetc%2fpasswd/256", "/api/images/%2e%2e/256",
        "/api/images/3/../../../etc/passwd", "/assets/../../../../etc/passwd",
        "/assets/..%2f..%2fetc%2fpasswd",
        "//etc/passwd", "/api/images//etc/passwd", "/api/images/3%00/256", "/w/review/sessions.json",
        "/0.jpg",
        "/api/images/3.jpg/256", "/api/images/12/256", "/api/images/-1/256",
      ] {
        let answer = try await door.send(door.request(path, cookie: cookie))
        #expect((400..<500).contains(answer.status), "\(path): \(answer.status)")
        #expect(!answer.body.contains("root:") && !answer.body.contains("\(Sessions.self)"), "\(path)")
      }
      // Every answer binds the page, refusals too.
      for request in [door.request("/"), door.request("/api/me"), door.request("/nowhere")] {
        let answer = try await door.send(request)
        let policy = answer.fields["content-security-policy"] ?? ""
        #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "\(request.path)")
        #expect(
          policy.contains("frame-ancestors 'none'") && answer.fields["x-content-type-options"] == "nosniff")
        #expect(answer.fields["access-control-allow-origin"] == nil)
      }
    }
  }

  @Test func onlyThisMachineReachesIt() async throws {
    try await serve { _, door in
      let port = String(format: "%04X", door.port)
      var listening: [String] = []
      for table in ["tcp", "tcp6"] {
        for line in try String(contentsOfFile: "/proc/net/\(table)", encoding: .utf8).split(separator: "\n") {
          let fields = line.split(separator: " ")
          // The state LISTEN.
          if fields[3] == "0A", fields[1].hasSuffix(":\(port)") { listening.append(String(fields[1])) }
        }
      }
      // 127.0.0.1, as the kernel writes it.
      #expect(listening == ["0100007F:\(port)"])
    }
  }

  @Test func floodsAreHeldBack() async throws {
    try await serve { program, door in
      let cookie = try await door.enter(program.links[0])
      let large = #"{"person":"\#(String(repeating: "a", count: ReviewConfiguration.maximumBody))"}"#
      #expect(try await door.send(door.request("/api/me", post: large, cookie: cookie)).status == 413)
      // Twenty guesses at once, then two a second.
      let guess = door.request("/api/enter", post: #"{"token":"0"}"#)
      let guesses = try await door.statuses(guess, times: 100)
      #expect(Set(guesses) == [401, 429] && guesses.count { $0 == 401 } >= 15, "\(guesses)")
      // Six hundred requests of a session at once, then a hundred per second.
      let rate = ReviewConfiguration().rate
      let count = 3000
      let start = ContinuousClock.now
      let statuses = try await door.statuses(door.request("/api/me", cookie: cookie), times: count)
      let seconds = Double((ContinuousClock.now - start).components.seconds + 1)
      // On a machine that does not get that far in the time, nobody is to be held back.
      let allowed = rate.burst + rate.perSecond * seconds
      #expect(Set(statuses).isSubset(of: [200, 429]) && Double(statuses.count { $0 == 200 }) <= allowed + 1)
      #expect(statuses.prefix(Int(rate.burst) - 10).allSatisfy { $0 == 200 })
    }
  }
}
