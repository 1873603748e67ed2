import Foundation

extension Dataset {
  /// The same as ``read(_:)`` on two threads: samples are read and brought to one form while `each` works on those before.
  /// `each` is called on the caller's thread, in the same order; a few thousand samples wait at most.
  @discardableResult
  package func readAhead(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let line = SampleLine()
    let thread = Thread { [self] in
      line.finish(Result { try read(line.add) })
    }
    // As much as a program's first thread has: readers of deep JSON use it.
    thread.stackSize = 8 << 20
    thread.start()
    do {
      while let batch = line.next() {
        for sample in batch { try each(sample) }
      }
    } catch {
      line.cancel()
      throw error
    }
    return try line.outcome()
  }
}

/// Samples on their way from the thread that reads them to the one that takes them.
private final class SampleLine: @unchecked Sendable {
  // Safe: everything but `filling`, which the reading thread alone uses, is guarded by the condition.
  private struct Cancelled: Error {}

  private static let batch = 256
  private static let most = 8
  private let condition = NSCondition()
  private var batches: [[Sample]] = []
  private var result: Result<DatasetSummary, any Error>?
  private var isCancelled = false
  private var filling: [Sample] = []

  /// Waits where too many are on their way.
  ///
  /// - Throws: If nobody takes them any more.
  func add(_ sample: Sample) throws {
    filling.append(sample)
    if filling.count == Self.batch { try pass() }
  }

  private func pass() throws {
    condition.lock()
    defer { condition.unlock() }
    while batches.count >= Self.most, !isCancelled { condition.wait() }
    if isCancelled { throw Cancelled() }
    batches.append(filling)
    filling = []
    filling.reserveCapacity(Self.batch)
    condition.broadcast()
  }

  /// Says that no more will come. Samples that were read before an error are passed on first, as without threads.
  func finish(_ outcome: Result<DatasetSummary, any Error>) {
    if !filling.isEmpty { try? pass() }
    condition.lock()
    result = outcome
    condition.broadcast()
    condition.unlock()
  }

  /// The next samples; nil at the end.
  func next() -> [Sample]? {
    condition.lock()
    defer { condition.unlock() }
    while batches.isEmpty, result == nil { condition.wait() }
    guard !batches.isEmpty else { return nil }
    let batch = batches.removeFirst()
    condition.broadcast()
    return batch
  }

  /// Ends the reading, and waits until it has ended: files are closed then.
  func cancel() {
    condition.lock()
    isCancelled = true
    batches = []
    condition.broadcast()
    while result == nil { condition.wait() }
    condition.unlock()
  }

  /// The outcome of reading, once ``next()`` has given nil.
  func outcome() throws -> DatasetSummary {
    condition.lock()
    defer { condition.unlock() }
    guard let result else { preconditionFailure("samples are still being read") }
    return try result.get()
  }
}
