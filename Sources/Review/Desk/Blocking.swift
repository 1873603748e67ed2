import Foundation
import NIOCore
import NIOPosix

/// Work that waits for the disk or computes for long: on threads of its own, so that requests go on meanwhile.
enum Blocking {
  /// Short work, such as the database's.
  static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(body)
  }

  private static let decoders: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: ProcessInfo.processInfo.activeProcessorCount)
    pool.start()
    return pool
  }()

  /// Decoding of images: verdicts do not wait behind a page of photos.
  static func decode<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await decoders.runIfActive(body)
  }

  /// Work of seconds to minutes, on a thread for it alone.
  static func alone<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { done in
      let thread = Thread { done.resume(with: Result(catching: body)) }
      thread.stackSize = 8 << 20
      thread.start()
    }
  }
}
