import Foundation

/// Asks once for an image and writes what comes.
struct Fetcher: Sendable {
  let client: TransferClient
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
        "The address redirects more than \(settings.mostRedirects) times.", isTemporary: false))
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
    let receiver = ImageReceiver(path: path, settings: settings)
    do throws(TransferError) {
      try await client.ask(request(target), receiver)
    } catch {
      throw await miss(error, target, receiver)
    }
    await gate.note(target.server, isConnected: true)
    guard let head = receiver.head else { throw await miss(.broken("no head"), target, receiver) }
    if [301, 302, 303, 307, 308].contains(head.status), let next = head.headers["location"] {
      return .redirected(next)
    }
    guard head.status == 200 else { throw miss(head, target) }
    do throws(DownloadFailure) {
      return .written(try receiver.finish())
    } catch {
      throw Miss(failure: error, server: target.server)
    }
  }

  private func request(_ target: AddressPolicy.Target) -> Transfer.Request {
    // The addresses that a proxy asks for are beyond our reach; see `AddressPolicy`.
    let isGuarded = !policy.allowsLocal && settings.proxy == nil
    return Transfer.Request(
      address: target.url.absoluteString, userAgent: settings.userAgent,
      accept: "Accept: image/*, application/octet-stream;q=0.9, */*;q=0.1",
      proxy: settings.proxy.map { "http://\($0.host):\($0.port)" },
      certificates: ProcessInfo.processInfo.environment["SSL_CERT_FILE"],
      connectTimeout: settings.connectTimeout, idleTimeout: settings.idleTimeout, timeout: settings.timeout,
      mayConnect: { address throws(DownloadFailure) in
        if isGuarded && AddressPolicy.isLocal(address) { throw AddressPolicy.refusal(of: target.host) }
      })
  }

  /// How an answer is treated that has no image.
  private func miss(_ head: TransferHead, _ target: AddressPolicy.Target) -> Miss {
    let isTemporary = RetryPolicy.isTemporary(status: head.status)
    let reason = "\(head.status) \(head.reason)".trimmingCharacters(in: .whitespaces)
    let remedy =
      switch head.status {
      case 404, 410: " The image is gone. Remove the row, or keep it: the run goes on without the image."
      case 401, 403: " The server does not give it to everyone."
      case 429: " The server asks for fewer requests: try again later, with fewer --per-host."
      default: ""
      }
    return Miss(
      failure: DownloadFailure("\(target.host) answered \(reason).\(remedy)", isTemporary: isTemporary),
      server: target.server,
      retryAfter: isTemporary ? RetryPolicy.retryAfter(head.headers["retry-after"]) : nil)
  }

  /// The failure when no answer came, or only a part of one.
  private func miss(
    _ error: TransferError, _ target: AddressPolicy.Target, _ receiver: ImageReceiver
  ) async -> Miss {
    let what: String
    switch error {
    case .refused(let failure): return Miss(failure: failure, server: target.server)
    case .unreachable(let reason):
      await gate.note(target.server, isConnected: false)
      return Miss(
        failure: DownloadFailure(
          "No connection to \(target.host) could be made (\(reason)).", isTemporary: true),
        server: target.server, isUnreachable: true)
    case .tooLong: what = "\(target.host) took too long to answer."
    case .cutShort: what = "\(target.host) sent \(receiver.count) of \(receiver.stated ?? 0) bytes."
    case .broken(let reason):
      what = "\(target.host) broke off the transfer, or is no web server (\(reason))."
    case .cancelled: what = "The download from \(target.host) was given up."
    }
    return Miss(failure: DownloadFailure(what, isTemporary: true), server: target.server)
  }
}
