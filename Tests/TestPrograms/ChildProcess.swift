import Foundation

/// A program that runs beside the tests. Waiting for its end holds no thread: Swift's tasks share as many as the machine
/// has cores, and what answers the program, in this process, may need them.
public final class ChildProcess: Sendable {
  /// Its number in the system.
  public let identifier: pid_t
  private let ending: Ending

  /// Starts a program, which reads nothing and prints to files.
  ///
  /// - Parameters:
  ///   - folder: Where it runs; nil: where the tests do.
  ///   - environment: Variables beside those of the tests.
  ///   - errors: May be the output's file too.
  public init(
    _ program: URL, _ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:],
    output: URL, errors: URL
  ) throws {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder ?? process.currentDirectoryURL
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let files = try [output, errors].map { file in
      try Data().write(to: file)
      return try FileHandle(forWritingTo: file)
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = files[0]
    process.standardError = output == errors ? files[0] : files[1]
    let ending = Ending()
    process.terminationHandler = { process in
      let status = process.terminationStatus
      ending.come(process.terminationReason == .exit ? status : -status)
    }
    try process.run()
    identifier = process.processIdentifier
    self.ending = ending
  }

  /// A program that is still running when nobody needs it any more is ended.
  deinit { kill() }

  public var isRunning: Bool { ending.status == nil }

  /// Waits for its end.
  ///
  /// - Returns: Its exit status; of one that a signal ended, the negated number of the signal.
  @discardableResult
  public func wait() async -> Int32 { await ending.wait() }

  /// Sends it a signal as soon as something holds, and waits for its end.
  ///
  /// - Parameter condition: Is looked at often, from a thread of its own: tasks may come too late on a busy machine.
  @discardableResult
  public func end(by signal: Int32, when condition: @escaping @Sendable () -> Bool) async -> Int32 {
    Thread.detachNewThread { [self] in
      while isRunning, !condition() { usleep(2000) }
      if isRunning { Foundation.kill(identifier, signal) }
    }
    return await wait()
  }

  /// Ends it at once, as the system would, with all that it has started.
  public func stop() async {
    kill()
    await wait()
  }

  private func kill() {
    guard isRunning else { return }
    for process in [identifier] + Self.descendants(of: identifier) { Foundation.kill(process, SIGKILL) }
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
