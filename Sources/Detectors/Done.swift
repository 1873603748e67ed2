import Foundation

/// Counts pieces of work that several threads finish, and tells how far they are.
final class Done: @unchecked Sendable {
  // Safe: `count` is only touched under the lock.
  private var count = 0
  private let lock = NSLock()
  private let total: Int
  private let progress: DetectionProgress

  init(total: Int, progress: @escaping DetectionProgress) {
    self.total = total
    self.progress = progress
  }

  func one() {
    let share = lock.withLock {
      count += 1
      return Double(count) / Double(max(1, total))
    }
    progress(share)
  }
}
