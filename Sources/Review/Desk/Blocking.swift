import NIOPosix

/// Work that waits for the disk or computes for long: on threads of its own, so that requests go on meanwhile.
enum Blocking {
  static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(body)
  }
}
