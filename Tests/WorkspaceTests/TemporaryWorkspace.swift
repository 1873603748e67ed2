import Datasets
import Foundation
import TestPrograms
import Testing

@testable import Workspace

/// A folder for one test, removed afterwards, with a workspace and the files to import.
final class TemporaryWorkspace {
  private let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  var path: String { temporary.path }
  var folder: String { "\(path)/workspace" }

  func open(create: Bool = true) throws -> Workspace {
    try Workspace(path: folder, create: create, patience: 0)
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String { try temporary.write(name, text) }

  /// A table of `count` samples without images: keys `<name>-i`, of three classes, with a truth column.
  func table(_ name: String, count: Int, from first: Int = 0) throws -> String {
    let rows = (first..<(first + count)).map {
      "\(name)-\($0),class \($0 % 3),\($0 % 5 == 0 ? "test" : ""),t\($0 % 2)\n"
    }
    return try write("\(name).csv", "key,label,split,truth\n" + rows.joined())
  }
}

extension TemporaryWorkspace {
  /// Gives a sample another label in a table of samples without images, and brings the workspace up to date with it.
  func relabel(_ table: String, _ key: String, _ label: String, in workspace: Workspace) throws {
    let lines = try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n").map { line in
      var fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      if fields[0] == key { fields[1] = label }
      return fields.joined(separator: ",") + "\n"
    }
    try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: table))
    var options = DatasetOptions()
    options.featuresOnly = true
    let source = try #require(try workspace.source(at: DatasetSource(path: table)))
    let summary = try workspace.updateSamples(
      of: source, from: try DatasetReader.open(source: table, options: options), options: options, scope: .all
    )
    #expect(summary.relabelled == 1)
  }
}

/// Imports a table of samples that have no images.
@discardableResult
func importTable(
  _ path: String, into workspace: Workspace, features: NpyMatrix? = nil,
  progress: (Int) throws -> Void = { _ in }
) throws -> ImportSummary {
  var options = DatasetOptions()
  options.featuresOnly = true
  return try workspace.importSamples(
    from: try DatasetReader.open(source: path, options: options), source: try DatasetSource(path: path),
    options: options, features: features, progress: progress)
}

/// The error that `body` throws.
func refusal(_ body: () throws -> Void) throws -> WorkspaceError {
  do {
    try body()
  } catch let error as WorkspaceError {
    return error
  }
  return WorkspaceError(.invalidInput, file: "", "nothing was refused", remedy: "")
}
