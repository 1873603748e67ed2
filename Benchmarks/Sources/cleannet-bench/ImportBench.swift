import ArgumentParser
import Datasets
import Foundation
import Pipeline
import Workspace

/// A folder of files, or a manifest of rows, and a look at the workspace afterwards.
struct ImportBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "A folder of 100,000 files, or a manifest, read into a workspace; and its status.")
  @Option(help: "Files of a folder.") var files = 100_000
  @Option(help: "Rows of a manifest (CSV), instead of a folder.") var rows: Int?
  @Option(help: "Where to put files; removed afterwards.") var scratch =
    NSTemporaryDirectory() + "cleannet-bench"

  private static let classes = 1000

  func run() throws {
    try? FileManager.default.removeItem(atPath: scratch)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    let source = try rows.map(makeManifest) ?? makeFolder()
    let workspace = try Workspace(path: scratch + "/w", create: true)
    let time = try seconds {
      _ = try workspace.importSamples(
        from: DatasetReader.open(source: source), source: DatasetSource(path: source))
    }
    report("import.\(rows.map { "\($0) rows" } ?? "\(files) files")", time, "s")
    report("import.peak memory", peakMegabytes(), "MB")
    let status = try seconds { _ = try WorkspaceOverview(workspace) }
    report("status", status * 1000, "ms")
  }

  private func makeFolder() throws -> String {
    let folder = scratch + "/folder"
    for label in 0..<100 {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/class\(label)", withIntermediateDirectories: true)
    }
    for index in 0..<files { close(creat("\(folder)/class\(index % 100)/\(index).jpg", 0o644)) }
    return folder
  }

  /// Rows as a crawler writes them; of the images only the first is there, which is all that import looks for.
  private func makeManifest(rows: Int) throws -> String {
    let path = scratch + "/list.csv"
    FileManager.default.createFile(atPath: path, contents: nil)
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    var text = "path,label,truth\n"
    for row in 0..<rows {
      let label = row &* 7919 % Self.classes
      text +=
        "images/class-\(label)/\(row).jpg,class-\(label),class-\(row % 10 == 0 ? row % Self.classes : label)\n"
      if text.utf8.count > 1 << 20 || row == rows - 1 {
        try file.write(contentsOf: Data(text.utf8))
        text = ""
      }
    }
    try file.close()
    try FileManager.default.createDirectory(
      atPath: "\(scratch)/images/class-0", withIntermediateDirectories: true)
    FileManager.default.createFile(atPath: "\(scratch)/images/class-0/0.jpg", contents: nil)
    return path
  }
}
