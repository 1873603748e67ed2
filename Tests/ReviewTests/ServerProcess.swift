import Foundation
import Synchronization
import Testing

/// A program that goes on until it is stopped, and what it prints.
final class ServerProcess: Sendable {
  private let process: Mutex<Process>
  private let output: URL

  init(_ program: URL, _ arguments: [String], output: URL) throws {
    self.output = output
    FileManager.default.createFile(atPath: output.path, contents: nil)
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: output)
    var environment = ProcessInfo.processInfo.environment
    environment["OMP_WAIT_POLICY"] = "passive"
    process.environment = environment
    try process.run()
    self.process = Mutex(process)
  }

  deinit { stop() }

  /// Waits until the program has printed what matches, and returns what its group matched.
  func printed(_ pattern: Regex<(Substring, Substring)>) async throws -> String {
    let end = ContinuousClock.now + .seconds(90)
    while true {
      let text = try String(contentsOf: output, encoding: .utf8)
      if let match = text.firstMatch(of: pattern) { return String(match.1) }
      try #require(ContinuousClock.now < end && process.withLock { $0.isRunning }, "\(text)")
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Ends the program at once, as the system would, and all that it has started.
  func stop() {
    process.withLock { process in
      guard process.isRunning else { return }
      let all = [process.processIdentifier] + Self.descendants(of: process.processIdentifier)
      for one in all { kill(one, SIGKILL) }
      process.waitUntilExit()
    }
  }

  /// The processes that a process has started, and those have, from the kernel's lists.
  private static func descendants(of process: pid_t) -> [pid_t] {
    // One list for each thread.
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
    let children = threads.flatMap { thread in
      let list = try? String(contentsOfFile: "/proc/\(process)/task/\(thread)/children", encoding: .utf8)
      return (list ?? "").split(separator: " ").compactMap { pid_t($0) }
    }
    return children + children.flatMap(descendants)
  }
}

/// `cleannet review`, as a user starts it.
struct ReviewProgram {
  let server: ServerProcess
  let port: Int
  /// The link for each reviewer.
  let links: [String]

  /// Where SwiftPM puts the program: beside the test bundle.
  private static let binary: URL = {
    let tests = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
    let beside =
      tests?.deletingLastPathComponent()
      ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    return beside.appendingPathComponent("cleannet")
  }()

  /// - Parameter port: 0: any that is free.
  init(_ fixture: ReviewFixture, port: Int = 0, reviewers: [String] = ["Ann"]) async throws {
    let output = fixture.folder.appendingPathComponent("\(UUID().uuidString).out")
    server = try ServerProcess(
      Self.binary,
      ["review", "--workspace", fixture.workspace.path, "--port", "\(port)"]
        + reviewers.flatMap { ["--reviewer", $0] }, output: output)
    // The links come at once; the last tells that all are there.
    _ = try await server.printed(
      reviewers.count == 1 ? /(#token=[0-9a-f]{64})/ : try Regex("\(reviewers.last ?? ""): (http.*)\n"))
    let text = try String(contentsOf: output, encoding: .utf8)
    links = text.matches(of: /http:\S+#token=[0-9a-f]{64}/).map { String($0.output) }
    let address = try #require(links.first.flatMap(URL.init(string:)))
    self.port = try #require(address.port)
  }

  var address: String { "http://127.0.0.1:\(port)/" }
}
