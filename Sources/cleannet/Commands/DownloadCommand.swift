import ArgumentParser
import Pipeline

struct DownloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "download", abstract: "Download the images that a list named by their addresses.",
    discussion: """
      `embed` does this as well, with the defaults; use this verb to download first, or otherwise. Images go to the \
      folder `downloads` in the workspace, and downloads.jsonl there says what became of each. Servers are asked a few \
      images at a time, again after failures that look temporary, and as late as they wish (Retry-After). An image that \
      does not come is listed (see `status --problems`), and the run goes on. Run again after an interruption, it does \
      only what is missing. A proxy is taken from https_proxy or http_proxy.
      """)

  @Flag(help: "Asks again for images that were refused or not found before.")
  var retry = false
  @Option(help: "Downloads at one time.")
  var connections = 32
  @Option(help: "Downloads at one time from one server.")
  var perHost = 4
  @Option(help: "How often a server is asked for one image.")
  var attempts = 4
  @Option(help: "Seconds after which an answer is given up.")
  var timeout = 120
  @Option(help: "Megabytes above which an image is refused.")
  var largest = 64
  @Option(help: "How the program introduces itself to servers.")
  var userAgent: String?
  @Flag(help: "Also follows addresses into the local network, which a list from elsewhere should not reach.")
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
    (stage.settings.connections, stage.settings.connectionsPerHost) = (connections, perHost)
    (stage.settings.attempts, stage.settings.timeout) = (attempts, .seconds(timeout))
    (stage.settings.largestBytes, stage.settings.allowsLocal) = (largest * 1_000_000, allowLocal)
    if let userAgent { stage.settings.userAgent = userAgent }
    let outcome = try stage.run(try workspace.open(), progress: workspace.output.progress)
    try workspace.output.print(outcome) {
      "\(outcome.downloaded) images downloaded, \(outcome.present) were there already, \(outcome.failed) did not come."
        + (outcome.failed > 0 ? " List them with: cleannet status --problems" : "")
    }
  }
}
