import Foundation

/// What `body` makes of 0…count−1, in that order, made on `threads` threads.
///
/// libtorch's own threads are divided among them, as by ``concurrently(over:threads:engineThreads:_:)``.
public func concurrentMap<Value: Sendable>(
  over count: Int, threads: Int, engineThreads: Int? = nil, _ body: @escaping @Sendable (Int) -> Value
) -> [Value] {
  let results = Results<Value>(count: count)
  concurrently(over: count, threads: threads, engineThreads: engineThreads) { results.set($0, body($0)) }
  return results.values
}

private final class Results<Value: Sendable>: @unchecked Sendable {
  // Safe: `stored` is only touched under the lock.
  private var stored: [Value?]
  private let lock = NSLock()

  init(count: Int) { stored = Array(repeating: nil, count: count) }

  func set(_ index: Int, _ value: Value) { lock.withLock { stored[index] = value } }

  var values: [Value] { lock.withLock { stored.compactMap { $0 } } }
}
