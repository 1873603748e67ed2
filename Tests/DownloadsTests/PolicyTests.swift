import Foundation
import Testing

@testable import Downloads

@Suite("Requests, and when they are made") struct PolicyTests {
  private func refusal(_ address: String) async -> DownloadFailure? {
    do throws(DownloadFailure) {
      _ = try await AddressPolicy(allowsLocal: false).target(address)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "addresses in the own network are refused",
    arguments: [
      "http://127.0.0.1/x", "http://localhost:8080/x", "http://10.1.2.3/x", "http://192.168.0.1/x",
      "http://172.31.255.1/x", "http://169.254.169.254/latest/meta-data", "http://[::1]/x",
      "http://[fe80::1]/x",
      "http://[fd00::1]/x", "http://[::ffff:127.0.0.1]/x", "http://0.0.0.0/x", "http://2130706433/x",
      "http://0x7f.1/x", "http://100.64.0.1/x",
      "http://192.0.0.8/x", "http://192.0.2.1/x", "http://[64:ff9b::a01:203]/x", "http://[64:ff9b:1::1]/x",
      "http://[2002:c0a8:1::1]/x",
    ])
  func local(address: String) async {
    #expect(await refusal(address)?.explanation.contains("local network") == true)
  }

  @Test(
    "so is what is not of the web",
    arguments: ["file:///etc/passwd", "ftp://example.org/x", "http:///x", "data:,x"])
  func schemes(address: String) async {
    #expect(await refusal(address)?.isTemporary == false)
  }

  @Test(
    "public addresses pass",
    arguments: [
      "http://8.8.8.8/x", "https://172.32.0.1/", "http://[2001:4860::8888]/x", "http://192.0.78.9/x",
      "http://[64:ff9b::808:808]/x", "http://[2002:808:808::1]/x",
    ])
  func open(address: String) async {
    #expect(await refusal(address) == nil)
  }

  @Test("pauses double, within bounds")
  func pauses() {
    let policy = RetryPolicy(firstPause: .seconds(1), longestPause: .seconds(60))
    for attempt in 1...10 {
      let span = min(60, Double(1 << (attempt - 1)))
      for _ in 0..<50 {
        let pause = policy.pause(after: attempt)
        #expect(pause >= .seconds(span * 0.5) && pause <= .seconds(span * 1.5))
      }
    }
  }

  @Test("Retry-After is a number of seconds or a date")
  func retryAfter() {
    let now = Date(timeIntervalSince1970: 1_700_000_000)
    #expect(RetryPolicy.retryAfter("120", now: now) == .seconds(120))
    #expect(RetryPolicy.retryAfter("Tue, 14 Nov 2023 22:13:50 GMT", now: now) == .seconds(30))
    #expect(RetryPolicy.retryAfter("Tue, 14 Nov 2023 22:00:00 GMT", now: now) == .zero)
    #expect(RetryPolicy.retryAfter("soon", now: now) == nil)
    #expect(RetryPolicy.retryAfter(nil, now: now) == nil)
  }

  @Test("the proxy is the one that other programs take")
  func proxy() {
    typealias Proxy = DownloadSettings.Proxy
    #expect(Proxy.fromEnvironment([:]) == nil)
    #expect(
      Proxy.fromEnvironment(["HTTPS_PROXY": "http://p.example:3128/"]) == Proxy(host: "p.example", port: 3128)
    )
    #expect(
      Proxy.fromEnvironment(["http_proxy": "p.example:81", "https_proxy": ""])
        == Proxy(host: "p.example", port: 81))
  }

  @Test("the log keeps why images did not come, also behind a line that was cut short")
  func log() throws {
    let folder = try TemporaryFolder()
    let request = DownloadRequest(address: "http://x/1", name: "aa/1")
    let gone = DownloadFailure("gone", isTemporary: false)
    do {
      let downloads = try DownloadFolder(path: folder.path)
      try downloads.note(DownloadOutcome(request: request, result: .failure(gone), attempts: 1))
      #expect(!downloads.has("aa/1"))
    }
    let path = "\(folder.path)/\(DownloadFolder.logName)"
    try (String(contentsOfFile: path, encoding: .utf8) + #"{"name":"aa/2","fai"#)
      .write(toFile: path, atomically: true, encoding: .utf8)
    do {
      let downloads = try DownloadFolder(path: folder.path)
      #expect(downloads.failures == ["aa/1": gone])
      let other = DownloadRequest(address: "http://x/3", name: "aa/3")
      try downloads.note(DownloadOutcome(request: other, result: .failure(gone), attempts: 1))
    }
    let downloads = try DownloadFolder(path: folder.path)
    #expect(downloads.failures == ["aa/1": gone, "aa/3": gone])
    try FileManager.default.createDirectory(atPath: "\(folder.path)/aa", withIntermediateDirectories: true)
    try Data([1]).write(to: URL(fileURLWithPath: downloads.file("aa/1")))
    #expect(downloads.has("aa/1"))
  }
}
