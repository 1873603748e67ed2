import ArgumentParser
import Foundation
import Pipeline

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check the installation, and name a remedy for each fault.",
    discussion: """
      Checks the compute engine, the networks' weights, the image library and the machine. The exit status is 69 if a \
      needed part is missing. With --speed it also measures networks; on a GPU it compares their features with those \
      of the CPU.
      """)

  @Flag(help: "Measure how many images per second the networks embed here.")
  var speed = false
  @Option(
    help: ArgumentHelp(
      "A network to measure: a built-in one or a file, as for `embed`; may be repeated.",
      valueName: "name-or-file"), completion: .file())
  var network: [String] = []
  @Option(
    help: ArgumentHelp("Where to measure: auto, cpu, cuda, cuda:1 …", valueName: "device"),
    completion: .list(["auto", "cpu", "cuda"]))
  var device = DeviceChoice.auto
  @Option(name: .customLong("threads"), help: "Threads to measure with (default: one per core).")
  var wantedThreads: Int?
  @OptionGroup var output: OutputOptions

  struct Measured: Encodable {
    var findings: [Doctor.Finding]
    /// nil: not measured.
    var speeds: [NetworkSpeed]?
  }

  func validate() throws {
    if !speed, !network.isEmpty || device != .auto || wantedThreads != nil {
      throw ValidationError("--network, --device and --threads need --speed.")
    }
    if let wantedThreads, wantedThreads < 1 { throw ValidationError("--threads must be at least 1.") }
  }

  func run() throws {
    let findings = Doctor.examine()
    let isUsable = !findings.contains { $0.health == .missing }
    if speed, isUsable {
      let threads = wantedThreads ?? ProcessInfo.processInfo.activeProcessorCount
      try ThreadOptions.prepareEngine(threads: threads)
      let sources =
        network.isEmpty ? EmbedStage.Quality.best.networks : network.map(NetworkSource.init(named:))
      let speeds = try sources.map { try NetworkSpeed.measure($0, on: device, threads: threads) }
      try output.print(Measured(findings: findings, speeds: speeds)) {
        (findings.map(\.line) + speeds.map(\.line)).joined(separator: "\n")
      }
    } else {
      try output.print(Measured(findings: findings, speeds: nil)) {
        findings.map(\.line).joined(separator: "\n")
      }
    }
    if !isUsable { throw ExitCode(EX_UNAVAILABLE) }
  }
}

extension Doctor.Finding {
  fileprivate var line: String {
    let mark =
      switch health {
      case .good: "ok     "
      case .warning: "warning"
      case .missing: "missing"
      }
    return "\(mark)  \(part): \(what)" + (remedy.map { "\n         → \($0)" } ?? "")
  }
}

extension NetworkSpeed {
  fileprivate var line: String {
    let isRight = (agreement ?? 1) >= Self.leastAgreement
    let rate = "\(Int(imagesPerSecond.rounded())) images/s at \(size) px on \(device), \(precision)"
    let agrees = agreement.map { String(format: "; cosine with the CPU's features at least %.4f", $0) } ?? ""
    return "\(isRight ? "ok     " : "warning")  \(network): \(rate)\(agrees)"
      + (isRight ? "" : "\n         → The device computes something else. Use --device cpu, and report it")
  }
}
