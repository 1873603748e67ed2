/// Lets only so many downloads at a time through, in all and to each host, and keeps hosts in mind that asked for a
/// pause or do not answer.
actor HostGate {
  private struct Host {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
    /// Nothing is sent before.
    var pausedUntil: ContinuousClock.Instant?
    /// Connections in a row that could not be made.
    var failures = 0
  }

  private static let everyHost = ""

  private let connectionsPerHost: Int
  private let deadHostFailures: Int
  private var hosts: [String: Host]

  init(_ settings: DownloadSettings) {
    connectionsPerHost = max(1, settings.connectionsPerHost)
    deadHostFailures = settings.deadHostFailures
    hosts = [Self.everyHost: Host(free: max(1, settings.connections))]
  }

  /// Runs `body` when the host and the whole have room for it.
  func run<Value: Sendable>(
    on host: String, _ body: @Sendable () async throws -> Value
  ) async rethrows -> Value {
    await enter(host)
    await enter(Self.everyHost)
    defer {
      leave(Self.everyHost)
      leave(host)
    }
    return try await body()
  }

  private func enter(_ name: String) async {
    var host = hosts[name] ?? Host(free: connectionsPerHost)
    if host.free > 0 {
      host.free -= 1
      hosts[name] = host
      return
    }
    await withCheckedContinuation { hosts[name]?.waiting.append($0) }
  }

  /// Hands the place on to who waits longest.
  private func leave(_ name: String) {
    guard var host = hosts[name] else { return }
    if host.waiting.isEmpty {
      host.free += 1
      hosts[name] = host
    } else {
      let next = host.waiting.removeFirst()
      hosts[name] = host
      next.resume()
    }
  }

  /// Keeps every download of the host waiting for a while.
  func pause(_ name: String, for duration: Duration) {
    let until = ContinuousClock.now + duration
    let before = hosts[name]?.pausedUntil ?? until
    hosts[name]?.pausedUntil = max(before, until)
  }

  /// When the host may be asked again; `nil`: now.
  func pausedUntil(_ name: String) -> ContinuousClock.Instant? {
    guard let until = hosts[name]?.pausedUntil, until > .now else { return nil }
    return until
  }

  /// Notes whether a connection to the host could be made.
  func note(_ name: String, isConnected: Bool) {
    if isConnected { hosts[name]?.failures = 0 } else { hosts[name]?.failures += 1 }
  }

  /// Whether the host has not answered for so long that it is not asked any more.
  func isDead(_ name: String) -> Bool { (hosts[name]?.failures ?? 0) >= deadHostFailures }
}
