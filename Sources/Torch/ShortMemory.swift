import Synchronization

/// Runs computations that may need more memory than the device, or the machine, has left.
///
/// Inside `body` a computation that finds no memory does not end the program; what follows from it is meaningless. So the
/// body should do nothing but compute with tensors, and leave nothing behind that its result is not.
///
/// ```swift
/// var count = 256
/// while true {
///   if let features = ifMemorySuffices({ network(images[0..<count]) }) { return features }
///   count /= 2
/// }
/// ```
///
/// - Returns: nil where memory was too small.
package func ifMemorySuffices<Result>(_ body: () throws -> Result) rethrows -> Result? {
  let attempt = MemoryAttempt()
  let result = try MemoryAttempt.$current.withValue(attempt) { try body() }
  return attempt.hasFailed ? nil : result
}

/// Whether this thread is in an attempt (``ifMemorySuffices(_:)``) that has found too little memory.
package var isShortOfMemory: Bool { MemoryAttempt.current?.hasFailed ?? false }

/// A computation that may find too little memory.
final class MemoryAttempt: Sendable {
  /// The one that this thread is in.
  @TaskLocal static var current: MemoryAttempt?

  private let failed = Atomic(false)

  var hasFailed: Bool { failed.load(ordering: .relaxed) }

  /// Whether an operation's failure belongs to an attempt: memory was too small for it, or for one whose result it was
  /// given.
  static func takes() -> Bool {
    guard let current else { return false }
    if !current.hasFailed, Engine.functions.last_error_was_memory() {
      current.failed.store(true, ordering: .relaxed)
    }
    return current.hasFailed
  }

  /// A stand-in for a result that cannot be computed: small, and of as many dimensions as networks ask for.
  static func substitute() -> OpaquePointer? {
    Engine.functions.full([1, 1, 1, 1], 4, 0, DType.float32.rawValue)
  }
}
