import Foundation
import Synchronization
import TestPrograms
import TestServer
import Testing

@testable import Downloads

typealias TemporaryFolder = TestPrograms.TemporaryFolder

extension TemporaryFolder {
  func bytes(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: "\(path)/\(name)").map(Array.init)
  }

  /// All files below the folder.
  var files: [String] {
    (FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []).filter {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: "\(path)/\($0)", isDirectory: &isFolder)
        && !isFolder.boolValue
    }.sorted()
  }
}

@Suite("Downloading") struct DownloaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func settings(_ change: (inout DownloadSettings) -> Void = { _ in }) -> DownloadSettings {
    var settings = DownloadSettings(userAgent: "cleannet-tests")
    settings.allowsLocal = true
    // On a busy machine anything may take long. Only the test of timeouts sets some.
    settings.connectTimeout = .seconds(3600)
    settings.idleTimeout = .seconds(3600)
    settings.timeout = .seconds(3600)
    settings.firstPause = .milliseconds(2)
    settings.isImage = { $0.starts(with: [0xFF, 0xD8, 0xFF]) }
    change(&settings)
    return settings
  }

  /// Downloads the addresses to files named 0, 1, …
  private func download(
    _ addresses: [String], _ settings: DownloadSettings = settings()
  ) async throws -> [DownloadOutcome] {
    let requests = addresses.enumerated().map { DownloadRequest(address: $1, name: "a/\($0)") }
    var outcomes: [DownloadOutcome] = []
    try await Downloader(settings: settings, folder: folder.path).run(requests) { outcomes.append($0) }
    return outcomes.sorted { Int($0.request.name.dropFirst(2)) ?? 0 < Int($1.request.name.dropFirst(2)) ?? 0 }
  }

  private func download(
    _ path: String, _ settings: DownloadSettings = settings(),
    _ answer: @escaping @Sendable (TestServer.Request) async -> TestServer.Answer
  ) async throws -> (DownloadOutcome, TestServer) {
    let server = try await TestServer(answer)
    let outcome = try await download([server.address(path)], settings)[0]
    try await server.close()
    return (outcome, server)
  }

  private func failure(_ outcome: DownloadOutcome) -> DownloadFailure? {
    guard case .failure(let failure) = outcome.result else { return nil }
    return failure
  }

  @Test("images come as they are, each under its name")
  func success() async throws {
    let server = try await TestServer { request in
      .init(200, TestServer.image + Array(request.path.utf8))
    }
    let paths = (0..<40).map { "/\($0)%20é.jpg?q=\($0)" }
    let outcomes = try await download(paths.map(server.address))
    #expect(outcomes.allSatisfy { $0.attempts == 1 })
    for index in 0..<40 {
      let written = try #require(folder.bytes("a/\(index)"))
      #expect(written.starts(with: TestServer.image))
      #expect(try outcomes[index].result.get() == written.count)
      #expect(String(decoding: written, as: UTF8.self).hasSuffix("?q=\(index)"))
    }
    #expect(folder.files.count == 40)
    #expect(server.lastHeaders["user-agent"] == "cleannet-tests")
    #expect(server.mostAtOnce <= 4)
    try await server.close()
  }

  @Test("images that are gone are not asked for again", arguments: [404, 403, 410])
  func gone(status: Int) async throws {
    let (outcome, server) = try await download("/x.jpg") { _ in .init(status, []) }
    #expect(failure(outcome)?.isTemporary == false)
    #expect(failure(outcome)?.explanation.contains("\(status)") == true)
    #expect(server.count("/x.jpg") == 1)
    #expect(folder.files.isEmpty)
  }

  @Test("a server that stumbles is asked again", arguments: [500, 503, 429])
  func stumbles(status: Int) async throws {
    let (outcome, server) = try await download("/x.jpg") { $0.earlier < 2 ? .init(status, []) : .init() }
    #expect(try outcome.result.get() == TestServer.image.count)
    #expect(outcome.attempts == 3 && server.count("/x.jpg") == 3)
  }

  @Test("a server that stays down is left after some attempts, until another day")
  func down() async throws {
    let (outcome, server) = try await download("/x.jpg") { _ in .init(500, []) }
    #expect(failure(outcome)?.isTemporary == true)
    #expect(server.count("/x.jpg") == 4)
  }

  @Test("a server is left alone for as long as it asks")
  func retryAfter() async throws {
    let (outcome, server) = try await download("/x.jpg") { request in
      guard request.earlier == 0 else { return .init() }
      var answer = TestServer.Answer(429, [])
      answer.headers = [("Retry-After", "1")]
      return answer
    }
    #expect(try outcome.result.get() > 0)
    let moments = server.moments("/x.jpg")
    #expect(moments.count == 2 && moments[1] - moments[0] >= .milliseconds(950))
  }

  @Test("a pause that is too long ends the attempts")
  func longPause() async throws {
    let (outcome, server) = try await download("/x.jpg") { _ in
      var answer = TestServer.Answer(503, [])
      answer.headers = [("Retry-After", "Fri, 31 Dec 2199 23:59:59 GMT")]
      return answer
    }
    #expect(failure(outcome)?.isTemporary == true && server.count("/x.jpg") == 1)
  }

  @Test("answers that never come, never go on or never end are given up", arguments: 0..<3)
  func slow(kind: Int) async throws {
    let settings = Self.settings {
      $0.attempts = 2
      ($0.idleTimeout, $0.timeout) =
        kind == 2 ? ($0.idleTimeout, .milliseconds(300)) : (.milliseconds(200), $0.timeout)
    }
    let (outcome, server) = try await download("/x.jpg", settings) { _ in
      var answer = TestServer.Answer()
      answer.statedLength = 100_000
      answer.hangs = kind < 2
      if kind == 0 { answer.body = [] }
      if kind == 2 { answer.drips = true }
      return answer
    }
    #expect(failure(outcome)?.isTemporary == true)
    #expect(failure(outcome)?.explanation.contains("too long") == true, "\(outcome)")
    // On a busy machine the time may be over before the server is asked.
    #expect(outcome.attempts == 2 && server.count("/x.jpg") <= 2)
    #expect(folder.files.isEmpty)
  }

  @Test("images above the limit are refused, whether they say so or not", arguments: [false, true])
  func oversize(isStated: Bool) async throws {
    let (outcome, _) = try await download("/x.jpg", Self.settings { $0.largestBytes = 1000 }) { _ in
      var answer = TestServer.Answer()
      if isStated { answer.statedLength = 1001 } else { answer.drips = true }
      return answer
    }
    #expect(failure(outcome)?.isTemporary == false)
    #expect(failure(outcome)?.explanation.contains("1000 bytes") == true, "\(outcome)")
    #expect(folder.files.isEmpty)
  }

  @Test(
    "answers that are no images are refused: by type, by bytes",
    arguments: ["text/html; charset=utf-8", "image/png", ""])
  func wrongType(type: String) async throws {
    let (outcome, server) = try await download("/x.jpg") { _ in
      var answer = TestServer.Answer(200, Array("<html>not found</html>".utf8))
      answer.headers = type.isEmpty ? [] : [("Content-Type", type)]
      return answer
    }
    #expect(failure(outcome)?.isTemporary == false)
    #expect(server.count("/x.jpg") == 1)
    #expect(folder.files.isEmpty)
  }

  @Test("an answer that ends early is asked for again")
  func truncated() async throws {
    let (outcome, _) = try await download("/x.jpg") { request in
      var answer = TestServer.Answer()
      if request.earlier == 0 { answer.statedLength = 1000 }
      return answer
    }
    #expect(outcome.attempts == 2)
    #expect(folder.bytes("a/0") == TestServer.image)
    #expect(folder.files == ["a/0"])
  }

  @Test("redirects are followed, relative ones too, and loops are left")
  func redirects() async throws {
    let server = try await TestServer { request in
      switch request.path {
      case "/a/start.jpg": .redirect("next.jpg", status: 301)
      case "/a/next.jpg": .redirect("/end.jpg", status: 307)
      case "/loop.jpg": .redirect("/loop.jpg")
      case "/file.jpg": .redirect("file:///etc/passwd")
      default: .init()
      }
    }
    let outcomes = try await download(["/a/start.jpg", "/loop.jpg", "/file.jpg"].map(server.address))
    #expect(try outcomes[0].result.get() > 0)
    #expect(failure(outcomes[1])?.isTemporary == false && server.count("/loop.jpg") == 6)
    #expect(failure(outcomes[2])?.explanation.contains("file:") == true)
    #expect(folder.files == ["a/0"])
    try await server.close()
  }

  @Test("several come at a time, and never more from one server than allowed")
  func concurrency() async throws {
    // Each three requests are answered when all of them have come.
    let waiting = Mutex<[CheckedContinuation<Void, Never>]>([])
    let server = try await TestServer { _ in
      await withCheckedContinuation { continuation in
        let ready = waiting.withLock { list in
          list.append(continuation)
          guard list.count == 3 else { return [CheckedContinuation<Void, Never>]() }
          defer { list = [] }
          return list
        }
        for each in ready { each.resume() }
      }
      return .init()
    }
    let outcomes = try await download(
      (0..<12).map { server.address("/\($0).jpg") }, Self.settings { $0.connectionsPerHost = 3 })
    #expect(outcomes.allSatisfy { (try? $0.result.get()) != nil })
    #expect(server.mostAtOnce == 3)
    try await server.close()
  }

  @Test("a server that does not answer is asked no more")
  func dead() async throws {
    // A port that was free a moment ago.
    let server = try await TestServer { _ in .init() }
    try await server.close()
    let settings = Self.settings {
      $0.attempts = 1
      $0.connectionsPerHost = 1
      $0.deadHostFailures = 3
    }
    let outcomes = try await download((0..<20).map { server.address("/\($0).jpg") }, settings)
    #expect(outcomes.allSatisfy { failure($0)?.isTemporary == true })
    #expect(outcomes.count { failure($0)?.explanation.contains("does not answer") == true } == 17)
  }

  @Test("an error of the bookkeeper ends the run")
  func bookkeeper() async throws {
    let server = try await TestServer { _ in .init() }
    let downloader = Downloader(settings: Self.settings(), folder: folder.path)
    let requests = (0..<30).map { DownloadRequest(address: server.address("/\($0).jpg"), name: "\($0)") }
    await #expect(throws: CancellationError.self) {
      try await downloader.run(requests) { _ in throw CancellationError() }
    }
    try await server.close()
  }

  @Test("a name that stands for a machine of the own network by the time of the connection is refused")
  func changedName() async throws {
    let server = try await TestServer { _ in .init() }
    var settings = Self.settings()
    settings.allowsLocal = false
    let client = try TransferClient()
    // As where the name stood for another machine when it was looked up.
    let fetcher = Fetcher(
      client: client, settings: settings, gate: HostGate(settings),
      policy: AddressPolicy(allowsLocal: false, resolvesNames: false))
    let miss = await #expect(throws: Fetcher.Miss.self) {
      try await fetcher.fetch("http://localhost:\(server.port)/x.jpg", to: "\(folder.path)/x")
    }
    #expect(miss?.failure.explanation.contains("local network") == true, "\(String(describing: miss))")
    #expect(miss?.failure.isTemporary == false)
    #expect(server.count("/x.jpg") == 0)
    client.close()
    try await server.close()
  }

  @Test("connections are used again")
  func connections() async throws {
    let server = try await TestServer { _ in .init() }
    let outcomes = try await download(
      (0..<20).map { server.address("/\($0).jpg") }, Self.settings { $0.connectionsPerHost = 1 })
    #expect(outcomes.allSatisfy { (try? $0.result.get()) != nil })
    #expect(server.connections == 1)
    try await server.close()
  }
}
