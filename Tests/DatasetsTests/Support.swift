import Foundation
import TestPrograms
import Testing

@testable import Datasets

typealias TemporaryFolder = TestPrograms.TemporaryFolder

extension TemporaryFolder {
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

/// The problems for which reading refuses a source.
func problems(_ path: String, _ change: (inout DatasetOptions) -> Void = { _ in }) throws -> DatasetProblems {
  do {
    let read = try samples(path, change)
    return DatasetProblems(
      DatasetProblem(file: path, what: "was read: \(read.count) samples", remedy: "none"))
  } catch let problems as DatasetProblems {
    return problems
  }
}
