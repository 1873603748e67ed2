import Foundation
import TestPrograms
import Testing

@testable import Datasets

/// A folder of files for one test, removed afterwards.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ name: String, _ bytes: [UInt8] = [1]) throws -> String {
    let file = "\(path)/\(name)"
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

  /// Runs a program in the folder.
  func run(_ program: String, _ arguments: String...) async throws { try await run(program, arguments) }

  func run(_ program: String, _ arguments: [String]) async throws {
    let (status, _, errors) = try await ChildProcess.run(
      program, arguments, in: URL(fileURLWithPath: path))
    try #require(status == 0, "\(program): \(errors)")
  }
}

/// All samples of a source.
func samples(_ path: String, _ change: (inout DatasetOptions) -> Void = { _ in }) throws -> [Sample] {
  var options = DatasetOptions()
  change(&options)
  var samples: [Sample] = []
  try DatasetReader.open(source: path, options: options).read { samples.append($0) }
  return samples
}

/// What reading a source refuses.
func problems(_ path: String, _ change: (inout DatasetOptions) -> Void = { _ in }) throws -> DatasetProblems {
  do {
    let read = try samples(path, change)
    return DatasetProblems(
      DatasetProblem(file: path, what: "was read: \(read.count) samples", remedy: "none"))
  } catch let problems as DatasetProblems {
    return problems
  }
}
