import ArgumentParser
import CleanNet
import Pipeline

extension Objective: ExpressibleByArgument {}
extension FeatureNormalization: ExpressibleByArgument {}

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train CleanNet on features and labels.",
    discussion: """
      Learns from features and noisy labels what the images of each class look like and how labels go wrong. It needs \
      no verdicts: `score` applies them later, in milliseconds, so that new verdicts need no new training. With \
      --objective paper the networks learn from the verdicts. An interrupted run continues where it stopped.
      """)

  @OptionGroup var training: TrainOptions
  @OptionGroup var device: DeviceOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var memory: MemoryOptions
  @OptionGroup var workspace: WorkspaceOptions

  func validate() throws {
    if training.objective == .paper, device.choice != .auto {
      throw ValidationError("--device is for the search for neighbors, which --objective paper does without.")
    }
  }

  func run() throws {
    memory.apply()
    try compute.prepareEngine()
    let outcome = try training.stage(compute, device).run(
      try workspace.open(), progress: workspace.output.progress)
    try workspace.output.print(outcome) { outcome.text }
  }
}

/// How neighbors are searched.
struct RecallOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The share of the true nearest neighbors to find, such as 99% (default: 95%).",
      discussion: "Among fewer than 50,000 images all are found. Among more, a higher share takes longer."))
  var recall: Recall?

  /// A share on the command line that may be all.
  struct Recall: ExpressibleByArgument {
    let value: Double

    init?(argument: String) {
      guard
        let value = Share(argument: argument)?.value ?? (["1", "1.0", "100%"].contains(argument) ? 1 : nil)
      else { return nil }
      self.value = value
    }
  }
}

/// How CleanNet is trained.
struct TrainOptions: ParsableArguments {
  @Option(help: "extended, or the objective of the paper.")
  var objective = Objective.extended
  @Option(help: "K, the number of references per class.")
  var references = 32
  @Option(help: "Training steps per network (default: the objective's own number).")
  var steps: Int?
  @Option(help: "Transform the features first (default: log1p, or l2 if some are negative).")
  var normalization: FeatureNormalization?
  @Option(
    help: ArgumentHelp(
      "Class probabilities by another model, as further evidence (.npy, .npz or .safetensors); may be repeated.",
      discussion: """
        A table [images, classes] of probabilities or logits, one row per image in the order of `export scores`, by a model \
        that was not trained on the image's label: out-of-fold predictions, or zero-shot scores.
        """), completion: .file())
  var evidence: [String] = []
  @OptionGroup var neighbors: RecallOption

  func validate() throws {
    guard references > 0 else { throw ValidationError("--references must be at least 1.") }
    guard steps.map({ $0 > 0 }) ?? true else { throw ValidationError("--steps must be at least 1.") }
  }

  func stage(_ compute: ComputeOptions, _ device: DeviceOption) -> TrainStage {
    var stage = TrainStage()
    stage.objective = objective
    stage.references = references
    stage.steps = steps
    stage.normalization = normalization
    stage.seed = compute.seed
    stage.threads = compute.threads
    stage.device = device.choice
    stage.recall = neighbors.recall?.value
    stage.evidence = evidence
    return stage
  }
}

extension TrainStage.Outcome {
  var text: String {
    let start =
      "\(reused ? "Already trained" : "Trained") (\(objective.rawValue)) on \(images) images of \(classes) classes, "
      + "\(verified) verified in \(verifiedClasses) classes."
    return validationRanking.map {
      start
        + " On held-out verified images, right labels rank above wrong ones with probability \($0.percent)."
    } ?? start
  }
}
