import Foundation

extension ChildProcess {
  /// Where SwiftPM puts the program: beside the test bundle.
  public static let cleannet: URL = {
    let tests = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
    let binary = tests ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return binary.deletingLastPathComponent().appendingPathComponent("cleannet")
  }()

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - name: Its path, or its name in one of the folders of `PATH`.
  ///   - scratch: A folder for what it prints, where it runs too.
  public static func run(
    _ name: String, _ arguments: [String], in scratch: URL, environment: [String: String] = [:]
  ) async throws -> (status: Int32, output: String, errors: String) {
    let id = UUID().uuidString
    let files = ["out", "err"].map { scratch.appendingPathComponent("\(id).\($0)") }
    defer { for file in files { try? FileManager.default.removeItem(at: file) } }
    let process = try ChildProcess(
      URL(fileURLWithPath: "/usr/bin/env"), [name] + arguments, in: scratch, environment: environment,
      output: files[0], errors: files[1])
    let status = await process.wait()
    let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    return (status, texts[0], texts[1])
  }
}
