import Foundation

/// Calls `body` with 0…count−1 from `threads` threads; libtorch's own threads are divided among them.
///
/// - Parameter engineThreads: So many of libtorch's threads for each instead. With 1 the outcome cannot depend on how many
///   there are.
public func concurrently(
  over count: Int, threads: Int, engineThreads: Int? = nil, _ body: @escaping @Sendable (Int) -> Void
) {
  let workers = max(1, min(threads, count))
  let next = Counter()
  let all = Engine.threads
  DispatchQueue.concurrentPerform(iterations: workers) { _ in
    // OpenMP counts threads by the thread that calls, OpenBLAS for the whole process. So no worker may restore the
    // number while others are at work: sums split another way round differently, and results would vary.
    Engine.threads = engineThreads ?? max(1, all / workers)
    while true {
      let index = next.take()
      guard index < count else { return }
      body(index)
    }
  }
  Engine.threads = all
}

/// Hands out 0, 1, 2 … to several threads.
final class Counter: @unchecked Sendable {
  // Safe: `value` is only touched under the lock.
  private var value = 0
  private let lock = NSLock()

  func take() -> Int {
    lock.withLock {
      defer { value += 1 }
      return value
    }
  }
}
