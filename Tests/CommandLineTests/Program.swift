import Foundation
import TestPrograms
import Testing

/// The built program, run as a user runs it.
struct Program {
  /// A folder of its own for each test.
  let folder: URL
  /// Further variables of its environment.
  var variables: [String: String] = [:]

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

  /// The workspace is `w` in the folder.
  private var environment: [String: String] {
    // The width of help texts depends on the terminal's.
    ["CLEANNET_WORKSPACE": folder.appendingPathComponent("w").path, "COLUMNS": "100"]
      .merging(variables) { $1 }
  }

  /// Starts the program in the folder and goes on.
  func start(_ arguments: [String]) throws -> ChildProcess {
    try ChildProcess(
      ChildProcess.cleannet, arguments, in: folder, environment: environment,
      output: folder.appendingPathComponent("started.out"),
      errors: folder.appendingPathComponent("started.err"))
  }

  /// Runs the program to its end.
  func callAsFunction(_ arguments: String...) async throws -> Result { try await run(arguments) }

  /// Runs the program, which must succeed.
  @discardableResult
  func succeed(_ arguments: String..., at location: SourceLocation = #_sourceLocation) async throws -> Result
  {
    try await succeed(arguments, at: location)
  }

  @discardableResult
  func succeed(_ arguments: [String], at location: SourceLocation = #_sourceLocation) async throws -> Result {
    let result = try await run(arguments)
    #expect(result.status == 0, "\(arguments): \(result.errors)", sourceLocation: location)
    return result
  }

  func run(_ arguments: [String]) async throws -> Result {
    let (status, output, errors) = try await ChildProcess.run(
      ChildProcess.cleannet.path, arguments, in: folder, environment: environment)
    return Result(status: status, output: output, errors: errors)
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  func read(_ name: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }
}

extension URL {
  /// The bytes of the files of that name in the folders that lie in this one.
  func size(of name: String) -> Int {
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return folders.reduce(0) { sum, folder in
      let file = try? FileManager.default.attributesOfItem(
        atPath: appendingPathComponent("\(folder)/\(name)").path)
      return sum + (file?[.size] as? Int ?? 0)
    }
  }
}
