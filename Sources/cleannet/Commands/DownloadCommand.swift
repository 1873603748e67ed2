import ArgumentParser
import Pipeline

struct DownloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "download", abstract: "Download the images of a list of addresses.",
    discussion: """
      `embed` does this as well, with the defaults; use this verb to download first, or with other settings. Images go \
      to the folder `downloads` in the workspace; downloads.jsonl there records the outcome for each. The program asks \
      each server for a few images at a time, tries again after temporary failures, and obeys Retry-After. Failed \
      images are listed by `status --problems`, and the run continues. Run it again after an interruption: it does \
      only what is missing. A proxy is taken from https_proxy or http_proxy.
      """)

  @Flag(help: "Ask again for images that were refused or not found.")
  var retry = false
  @Option(help: "Simultaneous downloads.")
  var connections = 32
  @Option(help: "Simultaneous downloads per server.")
  var perHost = 4
  @Option(help: "Attempts per image.")
  var attempts = 4
  @Option(help: "Seconds to wait for an answer.")
  var timeout = 120
  @Option(help: "Refuse larger images, in megabytes.")
  var largest = 64
  @Option(help: "The User-Agent that the program sends.")
  var userAgent: String?
  @Flag(help: "Also follow addresses into the local network, which a foreign list should not reach.")
  var allowLocal = false
  @OptionGroup var workspace: WorkspaceOptions

  func validate() throws {
    let numbers = [
      ("connections", connections), ("per-host", perHost), ("attempts", attempts), ("timeout", timeout),
      ("largest", largest),
    ]
    for (name, value) in numbers where !(1...1_000_000).contains(value) {
      throw ValidationError("--\(name) must be at least 1.")
    }
  }

  func run() throws {
    var stage = DownloadStage()
    stage.retriesFailures = retry
    stage.settings.connections = connections
    stage.settings.connectionsPerHost = perHost
    stage.settings.attempts = attempts
    stage.settings.timeout = .seconds(timeout)
    stage.settings.largestBytes = largest * 1_000_000
    stage.settings.allowsLocal = allowLocal
    if let userAgent { stage.settings.userAgent = userAgent }
    let outcome = try stage.run(try workspace.open(), progress: workspace.output.progress)
    try workspace.output.print(outcome) {
      "\(outcome.downloaded) images downloaded, \(outcome.present) were there already, \(outcome.failed) could not be downloaded."
        + (outcome.failed > 0 ? " List them with: cleannet status --problems" : "")
    }
  }
}
