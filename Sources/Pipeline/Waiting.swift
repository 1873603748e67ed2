import Dispatch
import Synchronization

/// Runs asynchronous work for a caller that is not asynchronous, whose thread waits. Not to be called from a task: it
/// would hold one of the few threads that tasks share.
func waiting<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
  let result = Mutex<Result<Value, any Error>?>(nil)
  let done = DispatchSemaphore(value: 0)
  Task {
    let outcome: Result<Value, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    result.withLock { $0 = outcome }
    done.signal()
  }
  done.wait()
  guard let outcome = result.withLock({ $0 }) else { preconditionFailure("the task has ended") }
  return try outcome.get()
}
