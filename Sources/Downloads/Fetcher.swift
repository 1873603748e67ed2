import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks once for an image and writes what comes.
struct Fetcher: Sendable {
  let client: HTTPClient
  let settings: DownloadSettings
  let gate: HostGate
  let policy: AddressPolicy

  /// Why one attempt failed.
  struct Miss: Error {
    var failure: DownloadFailure
    /// The server that failed.
    var server: String?
    /// How long that server asks to be left alone.
    var retryAfter: Duration?
    /// No connection could be made.
    var isUnreachable = false
  }

  /// - Returns: The number of bytes now in the file at `path`.
  /// - Throws: `Miss`.
  func fetch(_ address: String, to path: String) async throws -> Int {
    var target = try await resolved(address)
    for _ in 0...settings.mostRedirects {
      let here = target
      switch try await gate.run(on: here.server, { try await ask(here, path) }) {
      case .written(let count): return count
      case .redirected(let next): target = try await resolved(next, from: here.url)
      }
    }
    throw Miss(
      failure: DownloadFailure(
        "The address leads on to another more than \(settings.mostRedirects) times.", isTemporary: false))
  }

  private enum Answer: Sendable {
    case written(Int)
    case redirected(String)
  }

  private func resolved(_ address: String, from base: URL? = nil) async throws -> AddressPolicy.Target {
    do throws(DownloadFailure) {
      return try await policy.target(address, from: base)
    } catch {
      throw Miss(failure: error)
    }
  }

  private func ask(_ target: AddressPolicy.Target, _ path: String) async throws -> Answer {
    if await gate.isDead(target.server) {
      throw Miss(failure: DownloadFailure("The server \(target.host) does not answer.", isTemporary: true))
    }
    while let until = await gate.pausedUntil(target.server) {
      try await Task.sleep(until: until, clock: .continuous)
    }
    let start = ContinuousClock.now
    do {
      var request = HTTPClientRequest(url: target.url.absoluteString)
      request.headers.add(name: "User-Agent", value: settings.userAgent)
      request.headers.add(name: "Accept", value: "image/*, application/octet-stream;q=0.9, */*;q=0.1")
      let response = try await client.execute(request, timeout: TimeAmount(settings.timeout))
      await gate.note(target.server, isConnected: true)
      let status = response.status.code
      if [301, 302, 303, 307, 308].contains(status), let next = response.headers.first(name: "Location") {
        return .redirected(next)
      }
      guard status == 200 else { throw miss(response, target) }
      return .written(try await keep(response, target, path, since: start))
    } catch let miss as Miss {
      throw miss
    } catch let failure as DownloadFailure {
      throw Miss(failure: failure, server: target.server)
    } catch {
      throw await miss(error, target)
    }
  }

  /// What an answer without an image means.
  private func miss(_ response: HTTPClientResponse, _ target: AddressPolicy.Target) -> Miss {
    let status = response.status.code
    let isTemporary = RetryPolicy.isTemporary(status: status)
    let reason = "\(status) \(response.status.reasonPhrase)".trimmingCharacters(in: .whitespaces)
    let remedy =
      switch status {
      case 404, 410: " The image is gone; remove the row, or leave it: the run goes on without."
      case 401, 403: " The server does not give it to everyone."
      case 429: " The server asks for fewer requests: try again later, with fewer --per-host."
      default: ""
      }
    return Miss(
      failure: DownloadFailure("\(target.host) answered \(reason).\(remedy)", isTemporary: isTemporary),
      server: target.server,
      retryAfter: isTemporary ? RetryPolicy.retryAfter(response.headers.first(name: "Retry-After")) : nil)
  }

  private func miss(_ error: any Error, _ target: AddressPolicy.Target) async -> Miss {
    let isUnreachable =
      error is NIOConnectionError || error is ChannelError || error is IOError
      || (error as? HTTPClientError) == .connectTimeout
    if isUnreachable { await gate.note(target.server, isConnected: false) }
    let what =
      if isUnreachable {
        "No connection to \(target.host) could be made (\(error))."
      } else if let error = error as? HTTPClientError,
        [.readTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout].contains(error)
      {
        "\(target.host) took too long to answer."
      } else {
        "\(target.host) broke the transfer off, or does not answer as a web server does (\(error))."
      }
    return Miss(
      failure: DownloadFailure(what, isTemporary: true), server: target.server, isUnreachable: isUnreachable)
  }

  /// Writes the answer's body.
  private func keep(
    _ response: HTTPClientResponse, _ target: AddressPolicy.Target, _ path: String,
    since start: ContinuousClock.Instant
  ) async throws -> Int {
    try refuseType(response)
    let stated = response.headers.first(name: "Content-Length").flatMap { Int($0) }
    if let stated, stated > settings.largestBytes { throw tooLarge() }
    var file = try PartialFile(path)
    for try await piece in response.body {
      try file.append(Array(piece.readableBytesView))
      if file.count > settings.largestBytes { throw tooLarge() }
      // Servers that send a byte now and then never run into the timeout of a single piece.
      if ContinuousClock.now - start > settings.timeout { throw HTTPClientError.deadlineExceeded }
    }
    guard file.count == stated ?? file.count else {
      throw DownloadFailure(
        "\(target.host) sent \(file.count) of \(stated ?? 0) bytes.", isTemporary: true)
    }
    guard settings.isImage(file.head) else {
      throw DownloadFailure(
        file.count == 0 ? "The answer is empty." : "The answer is no image, whatever its address says.",
        isTemporary: false)
    }
    try file.finish()
    return file.count
  }

  private func tooLarge() -> DownloadFailure {
    DownloadFailure(
      "The image is larger than \(settings.largestBytes) bytes. Allow more with --largest.",
      isTemporary: false)
  }

  /// Web pages are refused before they are read.
  private func refuseType(_ response: HTTPClientResponse) throws(DownloadFailure) {
    guard
      let type = response.headers.first(name: "Content-Type")?.lowercased().split(separator: ";").first?
        .trimmingCharacters(in: .whitespaces)
    else { return }
    guard type.hasPrefix("image/") || type.hasSuffix("octet-stream") else {
      throw DownloadFailure("The address leads to \(type), not to an image.", isTemporary: false)
    }
  }
}

extension TimeAmount {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }
}
