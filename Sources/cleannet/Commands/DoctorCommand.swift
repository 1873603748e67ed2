import ArgumentParser
import Foundation
import Pipeline

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check engine, weights, image library and machine, each with its remedy.",
    discussion: "The exit status is 69 if something that is needed is missing.")

  @OptionGroup var output: OutputOptions

  func run() throws {
    let findings = Doctor.examine()
    try output.print(findings) {
      findings.map { finding in
        let mark =
          switch finding.health {
          case .good: "ok     "
          case .warning: "warning"
          case .missing: "missing"
          }
        return "\(mark)  \(finding.part): \(finding.what)"
          + (finding.remedy.map { "\n         → \($0)" } ?? "")
      }.joined(separator: "\n")
    }
    if findings.contains(where: { $0.health == .missing }) { throw ExitCode(EX_UNAVAILABLE) }
  }
}
