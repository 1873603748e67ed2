import Foundation
import TestPrograms
import Testing

/// A program that goes on until it is stopped, and its output.
struct ServerProcess {
  private let process: ChildProcess
  private let output: URL

  init(_ program: URL, _ arguments: [String], environment: [String: String] = [:], output: URL) throws {
    self.output = output
    process = try ChildProcess(
      program, arguments, environment: environment, output: output, errors: output)
  }

  /// Waits until the program has printed what matches, and returns what its group matched.
  func printed(_ pattern: Regex<(Substring, Substring)>) async throws -> String {
    while true {
      let isRunning = process.isRunning
      let text = try String(contentsOf: output, encoding: .utf8)
      if let match = text.firstMatch(of: pattern) { return String(match.1) }
      try #require(isRunning, "\(text)")
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Ends the program at once, as the system would, and all that it has started.
  func stop() async { await process.stop() }
}
