import ArgumentParser
import Backbones
import Pipeline
import Workspace

extension BackboneKind: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}
extension EmbedStage.Quality: ExpressibleByArgument {}
extension Pooling: ExpressibleByArgument {}

extension DeviceChoice: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }

  package var defaultValueDescription: String { "auto" }
}

struct EmbedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Compute the features of all images that have none yet.",
    discussion: """
      A pretrained network looks at every image once. Better features find more label errors and take longer. Images \
      that cannot be read are listed by `status --problems`, and the run continues. Run it again after an interruption \
      or an import: it does only what is missing. Without options, it uses the network of the last run.

      With many machines, each process does one part: `cleannet embed --shard 3/8 --out parts/`. Then \
      `cleannet merge parts/` joins the parts in the workspace.
      """)

  @OptionGroup var embedding: EmbedOptions
  @OptionGroup var shard: ShardOption
  @Option(help: "The folder that --shard writes its part to.", completion: .directory)
  var out: String?
  @OptionGroup var compute: ThreadOptions
  @OptionGroup var workspace: WorkspaceOptions

  func validate() throws {
    guard (shard.shard == nil) == (out == nil) else {
      throw ValidationError("--shard and --out need each other; without them, features go to the workspace.")
    }
    if shard.shard != nil, embedding.maxMegapixels != nil || embedding.takeTruncated != nil {
      throw ValidationError(
        "Parts use the workspace's limits for images; set --max-megapixels and --take-truncated there: cleannet embed."
      )
    }
  }

  func run() throws {
    try compute.prepareEngine()
    if let part = shard.value, let out { return try run(part, to: out) }
    let store = try workspace.open()
    let progress = workspace.output.progress
    let outcome = try embedding.stage(threads: compute.threads, after: store, progress: progress)
      .run(store, progress: progress)
    try workspace.output.print(outcome) {
      "\(outcome.embedded) images embedded, \(outcome.present) were there already, \(outcome.problems) cannot be read."
        + (outcome.problems > 0 ? " List them with: cleannet status --problems" : "")
    }
  }
}

extension EmbedCommand {
  private func run(_ part: Shard, to folder: String) throws {
    let store = try workspace.open()
    let progress = workspace.output.progress
    let outcome = try embedding.stage(threads: compute.threads, after: store, progress: progress)
      .run(part, of: store, to: folder, progress: progress)
    try workspace.output.print(outcome) {
      let what = outcome.reused ? "was there already" : "is in \(outcome.out)"
      return "Part \(outcome.shard) of \(outcome.shards) \(what): \(outcome.images) images."
    }
  }
}

/// How images become features.
struct EmbedOptions: ParsableArguments {
  @Option(
    help: """
      Quality of the features. fast: EfficientNet-Lite0 at 224 px. good: EfficientNet-Lite2 at 260 px, twice the time. \
      best: both, three times. (default: as last time, else good)
      """)
  var quality: EmbedStage.Quality?
  @Option(
    name: [.customLong("network"), .customLong("backbone")],
    help: ArgumentHelp(
      """
      The network, instead of a quality: \(BackboneKind.allCases.map(\.rawValue).joined(separator: ", ")), or a file: \
      a TorchScript program, or the weights of a vision transformer, a ConvNeXt or one of the built-in networks. May be \
      repeated: the features are concatenated.
      """, valueName: "name-or-file"), completion: .file())
  var networks: [String] = []
  @Option(
    help:
      "The weights of the --network: a file in safetensors or PyTorch's format (default: the weights that set-up downloaded).",
    completion: .file())
  var weights: String?
  @Option(
    help:
      "Width and height of the network's input, in pixels (default: the size it was trained for).")
  var size: Int?
  @Option(
    help: "The features of a network with tokens: the class token, the mean over the patches, or both.",
    completion: .list(Pooling.allCases.map(\.rawValue)))
  var pool = Pooling.auto
  @OptionGroup var device: DeviceOption
  @Option(help: "Number format of the network; auto is bf16 if the device computes in it.")
  var precision = Precision.auto
  @Option(
    help: ArgumentHelp(
      "Refuse images of more megapixels (default: as last time, at first 100).", valueName: "n"))
  var maxMegapixels: Int?
  @Flag(
    inversion: .prefixedNo,
    help:
      "Accept JPEGs whose end is missing; the missing part is grey (default: as last time).")
  var takeTruncated: Bool?

  func validate() throws {
    if let maxMegapixels, !(1...2_000).contains(maxMegapixels) {
      throw ValidationError("--max-megapixels must lie between 1 and 2000.")
    }
    if let size, size < 32 || size > 1024 { throw ValidationError("--size must lie between 32 and 1024.") }
    if quality != nil, !networks.isEmpty || weights != nil {
      throw ValidationError("--quality chooses the networks; give either it or --network and --weights.")
    }
    if weights != nil, networks.count > 1 {
      throw ValidationError("--weights belongs to one --network. Name each network's file: --network FILE.")
    }
    if weights != nil, let network = networks.first, BackboneKind(rawValue: network) == nil {
      throw ValidationError("--network \(network) is already a file of weights; leave out --weights.")
    }
  }

  func stage(threads: Int) -> EmbedStage {
    var stage = EmbedStage()
    stage.networks = sources
    stage.size = size
    stage.pooling = pool
    stage.device = device.choice
    stage.precision = precision
    stage.maximumMegapixels = maxMegapixels
    stage.takesTruncated = takeTruncated
    stage.threads = threads
    return stage
  }

  private var choosesFeatures: Bool {
    quality != nil || !networks.isEmpty || weights != nil || size != nil || pool != .auto
      || precision != .auto
  }

  /// Whether anything is said that has no effect where features came with the samples.
  var isGiven: Bool {
    choosesFeatures || device.choice != .auto || maxMegapixels != nil || takeTruncated != nil
  }

  /// The same, and where nothing is said about the features, as they were made last.
  func stage(
    threads: Int, after store: Workspace, progress: ConsoleProgress
  ) throws -> EmbedStage {
    var stage = stage(threads: threads)
    if !choosesFeatures, let last = try stage.takeLastSettings(store) { progress.note("As before: \(last)") }
    return stage
  }

  private var sources: [NetworkSource] {
    if let weights {
      guard let kind = networks.first.flatMap(BackboneKind.init(rawValue:)) else { return [.file(weights)] }
      return [.builtIn(kind, weights: weights)]
    }
    return networks.isEmpty ? (quality ?? .good).networks : networks.map(NetworkSource.init(named:))
  }
}
