import Foundation

/// Downloads many images, several at a time, and politely: a few from one server, with growing pauses after failures
/// and as long as the server asks for.
///
/// It writes files and nothing else; who keeps the books is `each`. See `DownloadFolder`.
package struct Downloader: Sendable {
  package var settings: DownloadSettings
  /// The folder that requests' names start from.
  package var folder: String

  /// Requests that are begun at one time, for each connection: requests that wait for one server should not keep the
  /// others waiting.
  private static let requestsPerConnection = 8

  package init(settings: DownloadSettings, folder: String) {
    self.settings = settings
    self.folder = folder
  }

  /// Downloads all and returns when the last has come or failed. Holds a bounded number of requests.
  ///
  /// - Parameter each: Called for each request, in the order in which they end, one at a time.
  /// - Throws: Errors of `each`; the downloads that are under way are given up then. ``TransferLibraryError`` without
  ///   libcurl.
  package func run(
    _ requests: some Sequence<DownloadRequest>, each: (DownloadOutcome) throws -> Void
  ) async throws {
    let client = try TransferClient()
    defer { client.close() }
    try await run(requests, with: client, each: each)
  }

  private func run(
    _ requests: some Sequence<DownloadRequest>, with client: TransferClient,
    each: (DownloadOutcome) throws -> Void
  ) async throws {
    let fetcher = Fetcher(
      client: client, settings: settings, gate: HostGate(settings),
      policy: AddressPolicy(allowsLocal: settings.allowsLocal, resolvesNames: settings.proxy == nil))
    try await withThrowingTaskGroup(of: DownloadOutcome.self) { group in
      var under = 0
      for request in requests {
        if under == settings.connections * Self.requestsPerConnection, let outcome = try await group.next() {
          try each(outcome)
          under -= 1
        }
        group.addTask { await download(request, by: fetcher) }
        under += 1
      }
      for try await outcome in group { try each(outcome) }
    }
  }

  /// Asks until the image is there, the failure is final, or the attempts are used up.
  private func download(_ request: DownloadRequest, by fetcher: Fetcher) async -> DownloadOutcome {
    let policy = RetryPolicy(firstPause: settings.firstPause, longestPause: settings.longestPause)
    var attempt = 1
    while true {
      do {
        let bytes = try await fetcher.fetch(request.address, to: "\(folder)/\(request.name)")
        return DownloadOutcome(request: request, result: .success(bytes), attempts: attempt)
      } catch {
        let miss =
          error as? Fetcher.Miss ?? Fetcher.Miss(failure: DownloadFailure("\(error)", isTemporary: true))
        let asked = miss.retryAfter ?? .zero
        if let server = miss.server, asked > .zero, asked <= settings.longestPause {
          await fetcher.gate.pause(server, for: asked)
        }
        guard miss.failure.isTemporary, miss.server != nil, attempt < settings.attempts,
          asked <= settings.longestPause, !Task.isCancelled
        else { return DownloadOutcome(request: request, result: .failure(miss.failure), attempts: attempt) }
        try? await Task.sleep(for: max(asked, policy.pause(after: attempt)))
        attempt += 1
      }
    }
  }
}
