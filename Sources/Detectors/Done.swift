import Synchronization

/// Counts pieces of work that several threads finish, and tells how far they are.
final class Done: Sendable {
  private let count = Atomic(0)
  private let total: Int
  private let progress: DetectionProgress

  init(total: Int, progress: @escaping DetectionProgress) {
    self.total = total
    self.progress = progress
  }

  func one() {
    let done = count.add(1, ordering: .relaxed).newValue
    progress(Double(done) / Double(max(1, total)))
  }
}
