import Foundation
import Testing

/// The help texts, kept as files: a change of the command line shows in its diff.
///
/// To accept new ones: `UPDATE_SNAPSHOTS=1 swift test --filter HelpTests`.
@Suite("Help") struct HelpTests {
  private static let snapshots = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Snapshots")

  @Test(
    "help texts are as the snapshots",
    arguments: [
      "", "demo", "import", "download", "embed", "verify", "verify import", "verify export",
      "verify simulate", "review", "train", "score", "judge", "report", "evaluate", "export", "export scores",
      "export weights", "export dataset", "export verdicts", "export model", "run", "status", "check",
      "clean", "relocate",
      "doctor", "merge", "worker", "worker embed", "worker judge",
      "classify", "classify train", "classify evaluate", "classify predict", "classify export",
      "classify compare",
    ])
  func help(verb: String) async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    let words = verb.split(separator: " ").map(String.init)
    let text = try await cleannet.succeed(words + ["--help"]).output
    #expect(text.contains("USAGE: cleannet"))
    let file = Self.snapshots.appendingPathComponent((["cleannet"] + words).joined(separator: "-") + ".txt")
    if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOTS"] != nil {
      try FileManager.default.createDirectory(at: Self.snapshots, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    #expect(try text == String(contentsOf: file, encoding: .utf8), "\(file.lastPathComponent)")
  }
}
