import Dispatch
import Synchronization

/// Calls `body` with 0…count−1 from `threads` threads; libtorch's own threads are divided among them.
///
/// - Parameter engineThreads: The number of libtorch's threads for each instead. With 1 the outcome cannot depend on
///   how many there are.
package func concurrently(
  over count: Int, threads: Int, engineThreads: Int? = nil, _ body: @escaping @Sendable (Int) -> Void
) {
  let workers = max(1, min(threads, count))
  let next = Counter()
  let all = Engine.threads
  DispatchQueue.concurrentPerform(iterations: workers) { _ in
    let before = Engine.threads
    Engine.threads = engineThreads ?? max(1, all / workers)
    // The thread goes on to other work afterwards, with its own number.
    defer { Engine.threads = before }
    while true {
      let index = next.take()
      guard index < count else { return }
      body(index)
    }
  }
}

/// Hands out 0, 1, 2 … to several threads.
final class Counter: Sendable {
  private let value = Atomic(0)

  func take() -> Int { value.add(1, ordering: .relaxed).oldValue }
}
