import Synchronization

/// The results of `body` for 0…count−1, in that order, made on `threads` threads.
///
/// libtorch's own threads are divided among them, as by ``concurrently(over:threads:engineThreads:_:)``.
package func concurrentMap<Value: Sendable>(
  over count: Int, threads: Int, engineThreads: Int? = nil, _ body: @escaping @Sendable (Int) -> Value
) -> [Value] {
  let results = Mutex([Value?](repeating: nil, count: count))
  concurrently(over: count, threads: threads, engineThreads: engineThreads) { index in
    let value = body(index)
    results.withLock { $0[index] = value }
  }
  return results.withLock { $0.compactMap { $0 } }
}
