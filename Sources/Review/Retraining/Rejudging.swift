import Foundation

/// Judges all labels anew after each page of verdicts, one run at a time, as long as the evidence of the last training
/// holds. It keeps the judgements in the workspace when nobody has answered for a while.
actor Rejudging {
  private let backend: any ReviewBackend
  private let desk: Desk
  private let hub: EventHub
  /// How long nobody has answered when scores are kept.
  private let rest: Duration
  private var isRunning = false
  /// Verdicts came in since the run began.
  private var isDue = false
  private var keeping: Task<Void, Never>?

  init(_ backend: any ReviewBackend, desk: Desk, hub: EventHub, rest: Duration = .seconds(15)) {
    self.backend = backend
    self.desk = desk
    self.hub = hub
    self.rest = rest
  }

  /// Verdicts have come in, or were taken back.
  func note() {
    isDue = true
    keeping?.cancel()
    guard !isRunning else { return }
    isRunning = true
    Task { await run() }
  }

  private func run() async {
    defer { isRunning = false }
    while isDue {
      isDue = false
      let backend = backend
      // Training and scoring report faults of the workspace; verdicts are taken whatever happens here.
      guard let rows = try? await Blocking.alone({ try backend.judge() }) else { return }
      await desk.take(Scores(fresh: rows))
      await hub.announce()
    }
    keep()
  }

  private func keep() {
    let backend = backend
    let desk = desk
    let rest = rest
    keeping = Task {
      guard (try? await Task.sleep(for: rest)) != nil else { return }
      guard (try? await Blocking.alone({ try backend.keepScores() })) != nil else { return }
      try? await desk.noteMoment()
    }
  }
}
