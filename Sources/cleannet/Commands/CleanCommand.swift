import ArgumentParser
import Artefacts
import Foundation
import Workspace

struct CleanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean", abstract: "Remove what nothing needs any more.",
    discussion: """
      Models, classifiers and scores that later ones have taken the place of, and features that none in use was made from, \
      stay until they are cleaned up. Verdicts, and everything that the last run of a stage left, are never touched.
      """)

  @Flag(help: "Say what would be removed, and remove nothing.")
  var dryRun = false
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    let outcome = try WorkspaceCleaning(try workspace.open()).run(dryRun: dryRun)
    try workspace.output.print(outcome) {
      let size = String(format: "%.1f MB", Double(outcome.bytes) / 1e6)
      let lines = outcome.removed.map { "  \($0.path) (\($0.what))" }
      let summary =
        outcome.removed.isEmpty
        ? "Everything that is kept is needed."
        : "\(outcome.removed.count) parts, \(size), \(dryRun ? "would be" : "were") removed:"
      return ([summary] + lines).joined(separator: "\n")
    }
  }
}
