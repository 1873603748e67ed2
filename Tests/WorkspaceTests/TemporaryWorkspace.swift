import Datasets
import Foundation

@testable import Workspace

/// A folder for one test, removed afterwards, with a workspace and the files to import.
final class TemporaryWorkspace {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var folder: String { "\(path)/workspace" }

  func open(create: Bool = true) throws -> Workspace {
    try Workspace(path: folder, create: create, patience: 0)
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let file = "\(path)/\(name)"
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// A table of `count` samples without images: keys `<name>-i`, of three classes, with a truth column.
  func table(_ name: String, count: Int, from first: Int = 0) throws -> String {
    let rows = (first..<(first + count)).map {
      "\(name)-\($0),class \($0 % 3),\($0 % 5 == 0 ? "test" : ""),t\($0 % 2)\n"
    }
    return try write("\(name).csv", "key,label,split,truth\n" + rows.joined())
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

/// What `body` refuses with.
func refusal(_ body: () throws -> Void) throws -> WorkspaceError {
  do {
    try body()
  } catch let error as WorkspaceError {
    return error
  }
  return WorkspaceError(.invalidInput, file: "", "nothing was refused", remedy: "")
}
