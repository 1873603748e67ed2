import ArgumentParser
import Artefacts
import Foundation
import Workspace

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check that no file of the workspace is damaged.",
    discussion: """
      Compares the catalogue and every file of the workspace with the digests that were noted when they were written. \
      For each damaged part it names the command that makes it again. It changes nothing. The exit status is 65 if \
      something is damaged.
      """)

  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    let progress = workspace.output.progress
    progress.begin("Checking", total: nil, unit: "files")
    let outcome = try WorkspaceCheck(try workspace.open()).run { progress.update($0) }
    progress.end("\(outcome.files) files")
    try workspace.output.print(outcome) { outcome.text }
    if !outcome.findings.isEmpty { throw ExitCode(EX_DATAERR) }
  }
}

extension WorkspaceCheck.Outcome {
  var text: String {
    let lines = findings.map { "\($0.file): \($0.what). \($0.remedy)." }
    let summary =
      findings.isEmpty
      ? "Nothing is damaged: \(files) files, \(bytes / 1_000_000) MB, and a catalogue of \(samples) images."
      : "\(findings.count) of \(files) files and the catalogue's tables are damaged."
    let unknown =
      unknown > 0 ? ["\(unknown) files were written by an earlier version and have no digest."] : []
    return (lines + [summary] + unknown).joined(separator: "\n")
  }
}
