import Foundation
import Synchronization

/// Trains and judges anew on request, one run at a time, and tells all pages how far it is.
actor Retraining {
  /// As pages see it.
  struct Status: Sendable, Hashable, Codable {
    enum Phase: String, Sendable, Codable {
      case idle, running, done, failed
    }

    var phase = Phase.idle
    var step: RetrainingStep?
    /// The fault and its remedy.
    var problem: String?
    /// The person who asked for it.
    var person: String?
    var seconds: Double?
  }

  private(set) var status = Status()
  private let backend: any ReviewBackend
  private let hub: EventHub

  init(_ backend: any ReviewBackend, hub: EventHub) {
    self.backend = backend
    self.hub = hub
  }

  /// Begins, unless a run is under way.
  ///
  /// - Parameter finished: Called after a run that succeeded, before pages hear of it.
  /// - Returns: Whether it began.
  func begin(by person: String, finished: @escaping @Sendable () async throws -> Void) -> Bool {
    guard status.phase != .running else { return false }
    status = Status(phase: .running, person: person)
    let backend = backend
    let (steps, continuation) = AsyncStream.makeStream(
      of: RetrainingStep.self, bufferingPolicy: .bufferingNewest(1))
    Task {
      await hub.send("retraining", status)
      let follower = Task { for await step in steps { await self.follow(step) } }
      let start = ContinuousClock.now
      do {
        try await Blocking.alone { try backend.retrain { continuation.yield($0) } }
        continuation.finish()
        await follower.value
        try await finished()
        end(.done, nil, start)
      } catch {
        continuation.finish()
        await follower.value
        end(.failed, "\(error)", start)
      }
      await hub.send("retraining", status)
    }
    return true
  }

  /// Passes progress on, a few times per second at most: the stream keeps only the newest step meanwhile.
  private func follow(_ step: RetrainingStep) async {
    status.step = step
    await hub.send("retraining", status)
    try? await Task.sleep(for: .milliseconds(200))
  }

  private func end(_ phase: Status.Phase, _ problem: String?, _ start: ContinuousClock.Instant) {
    let (seconds, attoseconds) = start.duration(to: .now).components
    status.phase = phase
    status.step = nil
    status.problem = problem
    status.seconds = Double(seconds) + Double(attoseconds) * 1e-18
  }
}
