import ArgumentParser
import Artefacts
import Foundation
import Workspace

struct CleanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean", abstract: "Remove files that are no longer needed.",
    discussion: """
      Removes models, classifiers and scores that newer ones have replaced, and features that no current model uses. \
      Verdicts and the results of the last run of each stage always stay.
      """)

  @Flag(help: "Show what would be removed, and remove nothing.")
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
