import Foundation
import TestPrograms
import Testing

/// The programs of examples/swift do what they print. They are compiled with this package's tests, and with access to its public
/// declarations only.
@Suite("Examples") struct ExamplesTests {
  private func run(_ name: String, _ arguments: [String] = []) async throws -> (
    status: Int32, output: String, errors: String
  ) {
    let program = ChildProcess.cleannet.deletingLastPathComponent().appendingPathComponent(name)
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    return try await ChildProcess.run(program.path, arguments, in: scratch)
  }

  @Test("nearly all wrong labels of well-separated classes are found, and hardly any right one is suspected")
  func judging() async throws {
    let result = try await run("JudgeFeatures")
    #expect(result.status == 0, "\(result.errors)")
    let numbers = result.output.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
    #expect(numbers[1] == 120)
    #expect(numbers[0] >= 114, "\(result.output)")
    #expect(numbers[2] <= 12, "\(result.output)")
  }

  @Test("a folder that holds no workspace is an error")
  func reading() async throws {
    let result = try await run("ReadWorkspace", ["nowhere"])
    #expect(result.status != 0)
  }
}
