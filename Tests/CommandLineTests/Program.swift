import Foundation
import Testing

/// The built program, run as a user runs it.
struct Program {
  /// A folder of its own for each test.
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("cleannet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  struct Result {
    var status: Int32
    var output: String
    var errors: String

    /// The output as a JSON object.
    func json() throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any], "\(output)")
    }
  }

  /// Where SwiftPM puts the program: beside the test bundle.
  private static let binary: URL = {
    let tests = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
    let beside =
      tests?.deletingLastPathComponent()
      ?? URL(fileURLWithPath: "/proc/self/exe")
      .resolvingSymlinksInPath().deletingLastPathComponent()
    return beside.appendingPathComponent("cleannet")
  }()

  /// Starts the program in the folder, with the workspace `w` in it.
  func start(_ arguments: [String], output: URL, errors: URL) throws -> Process {
    let process = Process()
    process.executableURL = Self.binary
    process.arguments = arguments
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    environment["CLEANNET_WORKSPACE"] = folder.appendingPathComponent("w").path
    // The width of help texts depends on it.
    environment["COLUMNS"] = "100"
    process.environment = environment
    for file in [output, errors] { FileManager.default.createFile(atPath: file.path, contents: nil) }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Runs the program to its end.
  func callAsFunction(_ arguments: String...) throws -> Result { try run(arguments) }

  /// Runs the program, which must succeed.
  @discardableResult
  func succeed(_ arguments: String..., at location: SourceLocation = #_sourceLocation) throws -> Result {
    let result = try run(arguments)
    #expect(result.status == 0, "\(arguments): \(result.errors)", sourceLocation: location)
    return result
  }

  private func run(_ arguments: [String]) throws -> Result {
    let id = UUID().uuidString
    let output = folder.appendingPathComponent("\(id).out")
    let errors = folder.appendingPathComponent("\(id).err")
    let process = try start(arguments, output: output, errors: errors)
    process.waitUntilExit()
    return Result(
      status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
      output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  func read(_ name: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }
}
