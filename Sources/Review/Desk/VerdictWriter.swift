import Workspace

/// Writes answers so that they are on the disk before anybody is told so. Verdicts that arrive while others are being
/// written go into the next transaction together: one wait for the disk, however many reviewers there are.
actor VerdictWriter {
  private struct Waiting {
    var records: [VerificationRecord]
    var done: CheckedContinuation<Void, any Error>
  }

  private let workspace: Workspace
  private var waiting: [Waiting] = []
  private var isWriting = false

  init(_ workspace: Workspace) { self.workspace = workspace }

  /// - Throws: `WorkspaceError` if the answers could not be kept.
  func write(_ records: [VerificationRecord]) async throws {
    guard !records.isEmpty else { return }
    try await withCheckedThrowingContinuation { done in
      waiting.append(Waiting(records: records, done: done))
      guard !isWriting else { return }
      isWriting = true
      Task { await drain() }
    }
  }

  private func drain() async {
    while !waiting.isEmpty {
      let batch = waiting
      waiting = []
      let records = batch.flatMap(\.records)
      let outcome: Result<Void, any Error>
      do {
        let workspace = workspace
        _ = try await Blocking.run { try workspace.addVerifications(records) }
        outcome = .success(())
      } catch {
        outcome = .failure(error)
      }
      for one in batch { one.done.resume(with: outcome) }
    }
    isWriting = false
  }
}
