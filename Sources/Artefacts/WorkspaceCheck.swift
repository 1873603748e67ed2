import Files
import Foundation
import Workspace

/// Looks whether everything that a workspace keeps is what was written.
package struct WorkspaceCheck {
  private let workspace: Workspace

  package init(_ workspace: Workspace) { self.workspace = workspace }

  package struct Finding: Sendable, Encodable {
    package var file: String
    package var what: String
    package var remedy: String
  }

  package struct Outcome: Sendable, Encodable {
    package var findings: [Finding] = []
    /// Files that were read.
    package var files = 0
    package var bytes = 0
    /// Files of earlier versions, whose digests nobody noted.
    package var unknown = 0
    package var samples = 0
  }

  /// - Parameter progress: Called with the number of files read so far.
  package func run(progress: (Int) -> Void = { _ in }) throws -> Outcome {
    var outcome = Outcome()
    outcome.samples = try workspace.sampleCount()
    for finding in try workspace.catalogueFindings() {
      outcome.findings.append(Finding(file: finding.file, what: finding.what, remedy: finding.remedy))
    }
    let noted = try workspace.notedFiles()
    for path in Set(noted).union(Self.files(below: workspace.path)).sorted() {
      let file = "\(workspace.path)/\(path)"
      var info = stat()
      guard stat(file, &info) == 0 else {
        // Missing files are made again where they are needed; only the results of the last runs are reported.
        if try workspace.isInUse(path) {
          outcome.findings.append(Finding(file: file, what: "is missing", remedy: Self.remedy(path)))
        }
        continue
      }
      outcome.files += 1
      outcome.bytes += Int(info.st_size)
      if !noted.contains(path) { outcome.unknown += 1 }
      do {
        try workspace.verifyNow(path, remedy: Self.remedy(path))
      } catch let error as WorkspaceError {
        outcome.findings.append(Finding(file: error.file, what: error.what, remedy: error.remedy))
      }
      progress(outcome.files)
    }
    return outcome
  }

  /// Files that stages leave, below the workspace.
  private static func files(below workspace: String) -> Set<String> {
    var files: Set<String> = []
    for part in ["features", "models", "scores"] {
      for name in (try? FileManager.default.subpathsOfDirectory(atPath: "\(workspace)/\(part)")) ?? [] {
        let path = "\(part)/\(name)"
        var info = stat()
        guard stat("\(workspace)/\(path)", &info) == 0, info.st_mode & S_IFMT == S_IFREG,
          !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }),
          !isRemadeAtNeed(path)
        else { continue }
        files.insert(path)
      }
    }
    return files
  }

  /// Files that carry their own digest, or are for people alone.
  private static func isRemadeAtNeed(_ path: String) -> Bool {
    let name = URL(fileURLWithPath: path).lastPathComponent
    return path.hasPrefix("models/neighbors/") || name.hasPrefix("checkpoint-") || name == "state.safetensors"
      || ["log.jsonl", "curves.svg", "features.json"].contains(name)
  }

  /// The command that makes a file again.
  private static func remedy(_ path: String) -> String {
    switch path.split(separator: "/").first {
    case "features": "Make it again: cleannet embed"
    case "scores": "Make it again: cleannet score"
    case "report": "Make it again: cleannet report"
    default:
      path.hasSuffix("/model.safetensors")
        ? "Make it again: cleannet train"
        : "Make it again: cleannet classify train"
    }
  }
}
