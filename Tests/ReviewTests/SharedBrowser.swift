import Testing

/// One browser for all tests of a suite, which takes long to start. Tests come to it one after the other.
struct SharedBrowser: SuiteTrait, TestScoping {
  @TaskLocal static var current: Browser?

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await Browser.open { try await Self.$current.withValue($0, operation: function) }
  }
}

extension Trait where Self == SharedBrowser {
  static var browser: Self { Self() }
}
