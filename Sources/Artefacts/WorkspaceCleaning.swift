import Foundation
import Workspace

/// Removes what later runs have taken the place of.
package struct WorkspaceCleaning {
  private let workspace: Workspace

  package init(_ workspace: Workspace) { self.workspace = workspace }

  package struct Part: Sendable, Encodable {
    /// Below the workspace.
    package var path: String
    package var what: String
    package var bytes: Int
  }

  package struct Outcome: Sendable, Encodable {
    package var removed: [Part] = []
    package var bytes: Int { removed.reduce(0) { $0 + $1.bytes } }

    private enum Key: String, CodingKey { case removed, bytes }

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(removed, forKey: .removed)
      try container.encode(bytes, forKey: .bytes)
    }
  }

  /// - Parameter dryRun: Whether nothing is removed.
  package func run(dryRun: Bool = false) throws -> Outcome {
    if dryRun { return try outcome() }
    return try workspace.withWriteLock("clean") {
      let outcome = try outcome()
      for part in outcome.removed {
        // The catalogue first: files that it does not know are leftovers, and files that it knows are there.
        try workspace.forget(part.path)
        try FileManager.default.removeItem(atPath: "\(workspace.path)/\(part.path)")
      }
      return outcome
    }
  }

  private func outcome() throws -> Outcome {
    var outcome = Outcome()
    for (folder, what) in [
      ("models", "a model or classifier"), ("scores", "scores"), ("features", "features"),
    ] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(workspace.path)/\(folder)")) ?? []
      for name in names.sorted() where !name.hasPrefix(".") && name != "neighbors" {
        let path = "\(folder)/\(name)"
        guard try !workspace.isInUse(path) else { continue }
        outcome.removed.append(Part(path: path, what: what, bytes: Self.size("\(workspace.path)/\(path)")))
      }
    }
    return outcome
  }

  private static func size(_ path: String) -> Int {
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
    return ([path] + names.map { "\(path)/\($0)" }).reduce(0) { sum, file in
      var info = stat()
      return stat(file, &info) == 0 && info.st_mode & S_IFMT == S_IFREG ? sum + Int(info.st_size) : sum
    }
  }
}
