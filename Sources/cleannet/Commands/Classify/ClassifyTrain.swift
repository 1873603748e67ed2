import ArgumentParser
import Backbones
import Classifier
import Foundation
import Images
import Pipeline

extension FineTuningRecipe.Optimization: ExpressibleByArgument {}
extension BatchNormMode: ExpressibleByArgument {}

struct ClassifyTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a classifier: a head on stored features, or a network on the images.",
    discussion: """
      By default it trains a head on the features of `embed`, in seconds. With --stages it trains the last stages of a \
      network, or all of them, on the images. This takes minutes to hours; log.jsonl and curves.svg lie beside the \
      weights. An interrupted run continues where it stopped and ends in the same weights.

        cleannet classify train --weights soft
        cleannet classify train --weights soft --stages 2 --size 128 --epochs 5

      --rounds 2 --stages all trains the network on the labels as they are. Then, twice, it asks networks about images \
      that they were not trained on, weighs their answers as further evidence, and trains the network again with the new \
      weights. A round takes twice the time of the first training.
      """)

  @Option(help: "Kind of sample weights; see `cleannet classify --help`.")
  var weights = "soft"
  @Option(help: "The column that holds the true labels, for the weights oracle.")
  var truth: String?
  @OptionGroup var weighting: WeightingOptions
  @Option(help: "The penalty on a head's weights (default: chosen on held-out images).")
  var penalty: Double?
  @Option(
    help: "With --stages: how often to score with the network's answers, and then to train the network again."
  )
  var rounds: Int?
  @OptionGroup(title: "Fine-tuning") var tuning: FineTuningOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var workspace: WorkspaceOptions

  func validate() throws {
    if let penalty, penalty <= 0 { throw ValidationError("--penalty must be above 0.") }
    if penalty != nil, tuning.stages != nil {
      throw ValidationError("--penalty is for heads on stored features; fine-tuning has --weight-decay.")
    }
    // Rounds measure themselves by the truth, whatever the weights are.
    try weighting.check(weights: [weights], truth: rounds == nil ? truth : nil)
    if let rounds {
      guard rounds > 0 else { throw ValidationError("--rounds must be at least 1.") }
      guard tuning.stages != nil else { throw ValidationError("--rounds needs --stages.") }
    }
  }

  func run() throws {
    try compute.prepareEngine()
    let store = try workspace.open()
    let progress = workspace.output.progress
    if let rounds, let network = tuning.network {
      let alternation = RoundsStage(rounds: rounds, classifier: stage(), network: network)
      let outcome = try alternation.run(store, progress: progress)
      return try workspace.output.print(outcome) { outcome.text }
    }
    let outcome = try stage().run(store, progress: progress)
    try workspace.output.print(outcome) { outcome.text }
  }

  private func stage() -> ClassifyTrainStage {
    let method: ClassifyTrainStage.Method = tuning.network.map { .network($0) } ?? .head(penalty: penalty)
    var stage = ClassifyTrainStage(method, weighting: Weighting(weights))
    stage.truth = truth
    stage.relabel = weighting.relabel
    stage.classBalanced = weighting.classBalanced
    stage.seed = compute.seed
    stage.threads = compute.threads
    stage.device = tuning.device.choice
    return stage
  }
}

/// Which stages of a network learn.
enum StageChoice: ExpressibleByArgument {
  case all
  case last(Int)

  init?(argument: String) {
    if argument == "all" {
      self = .all
    } else if let number = Int(argument), number >= 0 {
      self = .last(number)
    } else {
      return nil
    }
  }
}

/// How a network is fine-tuned. `--stages` makes it so.
struct FineTuningOptions: ParsableArguments {
  @Option(
    help: """
      Fine-tune the network: all, or the number of last stages to train (ResNet has 4, EfficientNet-Lite 7; 0: a new \
      head only).
      """)
  var stages: StageChoice?
  @Option(help: "The network (default: efficientnet-lite0).")
  var backbone: BackboneKind?
  @Option(
    help: "The weights to start from (default: the ones that set-up downloaded).", completion: .file())
  var start: String?
  @Option(help: "Width and height of the images, in pixels (default: as for `embed`).")
  var size: Int?
  @Option(help: "Passes over the images (default: 5).")
  var epochs: Int?
  @Option(help: "Images per batch (default: 32).")
  var batch: Int?
  @Option(help: "Batches per step; their gradients are added (default: 1).")
  var accumulate: Int?
  @Option(help: "The optimizer (default: adamw).")
  var optimizer: FineTuningRecipe.Optimization?
  @Option(help: "The learning rate of the network (default: 0.0002 for adamw, 0.01 for sgd).")
  var rate: Double?
  @Option(help: "Factor on the learning rate for the head (default: 10).")
  var headFactor: Double?
  @Option(help: "Weight decay (default: 0.01).")
  var weightDecay: Double?
  @Option(help: "The share of steps in which the rate rises, before it falls by a cosine (default: 0.1).")
  var warmup: Double?
  @Option(help: "The share of each target that is spread over all classes (default: 0.1).")
  var smoothing: Double?
  @Option(help: "Mix pairs of images: α of the Beta distribution, up to 1; 0 mixes none (default: 0).")
  var mixup: Double?
  @Option(help: "Decay of the moving average of weights that is kept; 0 keeps the last ones (default: 0.99).")
  var averaging: Double?
  @Option(
    help:
      "Batch norm by the batch's statistics (train), or by the starting weights' (frozen) (default: train).")
  var batchNorm: BatchNormMode?
  @Option(
    help:
      "The least share of an image's area that random crops show; 1 also turns mirroring off (default: 0.25)."
  )
  var crop: Double?
  @Option(help: "The share of images that choose the best epoch instead of being trained on (default: 0.1).")
  var validation: Double?
  @Option(help: "Number format of the network; auto is bf16 if the device computes in it (default: auto).")
  var precision: Precision?
  @OptionGroup var device: DeviceOption

  func validate() throws {
    guard let network else {
      guard device.choice == .auto else {
        throw ValidationError(
          "--device is for fine-tuning (--stages); a head on stored features is trained on the CPU.")
      }
      guard let idle = given.first else { return }
      throw ValidationError("\(idle) has no effect on a head on stored features; it needs --stages.")
    }
    func require(_ holds: Bool, _ message: String) throws { if !holds { throw ValidationError(message) } }
    let recipe = network.recipe
    try require(size.map { (32...1024).contains($0) } ?? true, "--size must lie between 32 and 1024.")
    try require(
      recipe.epochs > 0 && recipe.batchSize > 0 && recipe.accumulation > 0,
      "--epochs, --batch and --accumulate must be at least 1.")
    try require(rate.map { $0 > 0 } ?? true, "--rate must be above 0.")
    try require(
      recipe.headFactor > 0 && recipe.weightDecay >= 0,
      "--head-factor must be above 0, --weight-decay at least 0.")
    try require((0..<1).contains(recipe.warmup), "--warmup must be at least 0 and below 1.")
    try require((0..<1).contains(recipe.labelSmoothing), "--smoothing must be at least 0 and below 1.")
    try require((0...1).contains(recipe.mixup), "--mixup must lie between 0 and 1.")
    try require((0..<1).contains(recipe.averaging), "--averaging must be at least 0 and below 1.")
    try require(crop.map { $0 > 0 && $0 <= 1 } ?? true, "--crop must be above 0 and at most 1.")
    try require(
      (0..<1).contains(network.validationShare), "--validation must be at least 0 and below 1.")
  }

  /// The given options about a network, by name.
  private var given: [String] {
    let all: [(String, Any?)] = [
      ("--backbone", backbone), ("--start", start), ("--size", size), ("--epochs", epochs),
      ("--batch", batch), ("--accumulate", accumulate), ("--optimizer", optimizer), ("--rate", rate),
      ("--head-factor", headFactor), ("--weight-decay", weightDecay), ("--warmup", warmup),
      ("--smoothing", smoothing), ("--mixup", mixup), ("--averaging", averaging),
      ("--batch-norm", batchNorm), ("--crop", crop), ("--validation", validation),
      ("--precision", precision),
    ]
    return all.filter { $0.1 != nil }.map(\.0)
  }

  /// nil where no network is to be trained.
  var network: ClassifyTrainStage.FineTuningSettings? {
    guard let stages else { return nil }
    var network = ClassifyTrainStage.FineTuningSettings()
    network.backbone = backbone ?? .efficientNetLite0
    network.weights = start
    network.size = size
    network.validationShare = validation ?? 0.1
    var recipe = FineTuningRecipe()
    if case .last(let number) = stages { recipe.trainedStages = number }
    recipe.epochs = epochs ?? 5
    recipe.batchSize = batch ?? 32
    recipe.accumulation = accumulate ?? 1
    recipe.optimization = optimizer ?? .adamw
    recipe.learningRate = rate
    recipe.headFactor = headFactor ?? 10
    recipe.weightDecay = weightDecay ?? 0.01
    recipe.warmup = warmup ?? 0.1
    recipe.labelSmoothing = smoothing ?? 0.1
    recipe.mixup = mixup ?? 0
    recipe.averaging = averaging ?? 0.99
    recipe.batchNorm = batchNorm ?? .train
    let crop = crop ?? 0.25
    recipe.augmentation = crop < 1 ? Augmentation(smallestArea: crop) : nil
    recipe.precision = precision ?? .auto
    network.recipe = recipe
    return network
  }
}

extension ClassifyTrainStage.Outcome {
  var text: String {
    var lines = [
      "\(reused ? "Already trained" : "Trained") with the weights \(weights): \(images) images of \(classes) classes "
        + "count."
    ]
    if let penalty { lines.append("Penalty \(penalty).") }
    if let last = epochs.last {
      lines.append(
        String(format: "%d epochs, %d steps; the last loss %.3f.", epochs.count, last.steps, last.loss))
    }
    if let best = epochs.first(where: { $0.epoch == bestEpoch }), let top1 = best.validationTop1 {
      lines.append(
        "Best on held-out images, weighted like the others: epoch \(best.epoch), \(top1.percent) right.")
    }
    if problems > 0 {
      lines.append("\(problems) images cannot be read. List them with: cleannet status --problems")
    }
    return (lines + [file]).joined(separator: "\n")
  }
}

extension RoundsStage.Outcome {
  var text: String {
    var table = Table([
      "round", "weights", "labels judged right %", "expected noise %", "validation %", "test top-1 %", "gain",
    ])
    func percent(_ share: Double?) -> String { share.map { String(format: "%.2f", 100 * $0) } ?? "–" }
    for round in rounds {
      table.add([
        "\(round.round)", round.weights, percent(round.judgedRight), percent(round.estimatedNoise),
        percent(round.validationTop1), percent(round.testTop1), percent(round.gain),
      ])
    }
    return table.text + "\n" + (rounds.last?.file ?? "")
  }
}
