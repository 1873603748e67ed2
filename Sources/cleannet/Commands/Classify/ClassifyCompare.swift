import ArgumentParser
import Foundation
import Pipeline

struct ClassifyCompare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Train one classifier per kind of sample weights, and test all on split test.",
    discussion: """
      Trains heads on stored features, or with --stages networks on the images. With several seeds, CleanNet is \
      trained again for each. Intervals are Student's 95 %; the gain over `none` is compared within pairs of the \
      same seed. “Share of oracle's gain” is that gain, divided by the gain of `oracle`.

        cleannet classify compare --truth COLUMN --seeds 5
        cleannet classify compare --truth COLUMN --seeds 3 --stages all --size 96 --epochs 3
      """)

  @Option(help: "The column with the true labels.")
  var truth: String
  @Option(help: "Kinds of sample weights, comma-separated.")
  var weights = "none,soft,hard,oracle"
  @Option(help: "Number of repetitions, each with another seed.")
  var seeds = 1
  @OptionGroup var weighting: WeightingOptions
  @Option(
    help: ArgumentHelp(
      "The penalty on heads' weights: shared, own or a number.",
      discussion: """
        shared (default): one for all kinds of weights. It maximizes the likelihood of held-out images under the \
        weights soft, or under the first kind if soft is not compared. own: one per kind, under its own weights.
        """))
  var penalty: PenaltyChoice?
  @OptionGroup(title: "Fine-tuning") var tuning: FineTuningOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var workspace: WorkspaceOptions

  func validate() throws {
    guard seeds > 0 else { throw ValidationError("--seeds must be at least 1.") }
    let names = weights.split(separator: ",")
    guard !names.isEmpty, Set(names).count == names.count else {
      throw ValidationError("--weights needs names that differ, separated by commas.")
    }
    try weighting.check(weights: names.map(String.init), truth: nil)
    if penalty != nil, tuning.stages != nil {
      throw ValidationError("--penalty is for heads on stored features; fine-tuning has --weight-decay.")
    }
  }

  func run() throws {
    try compute.prepareEngine()
    var stage = CompareStage(
      truth: truth, weightings: weights.split(separator: ",").map { Weighting(String($0)) })
    stage.seeds = seeds
    stage.seed = compute.seed
    stage.threads = compute.threads
    stage.device = tuning.device.choice
    stage.relabel = weighting.relabel
    stage.classBalanced = weighting.classBalanced
    stage.penalty = penalty?.choice ?? .shared
    stage.network = tuning.network
    let outcome = try stage.run(try workspace.open(), progress: workspace.output.progress)
    try workspace.output.print(outcome) { outcome.text }
  }
}

extension CompareStage.Outcome {
  var text: String {
    var table = Table([
      "weights", "top-1 %", "95 % interval", "top-5 %", "class mean %", "gain", "95 % interval",
      "share of oracle's gain",
    ])
    for run in runs {
      table.add([
        run.weights, percent(run.top1.mean), "\(percent(run.top1.low)) to \(percent(run.top1.high))",
        percent(run.top5.mean), percent(run.classMean.mean), run.gain.map { percent($0.mean) } ?? "–",
        run.gain.map { "\(percent($0.low)) to \(percent($0.high))" } ?? "–",
        gainShare[run.weights].map(\.percent) ?? "–",
      ])
    }
    return "\(trainImages) images trained on (\(noiseRate.percent) of labels wrong, \(verified) verified), "
      + "\(testImages) tested, \(seeds) seed\(seeds == 1 ? "" : "s")\n\n\(table.text)"
  }

  private func percent(_ value: Double) -> String { String(format: "%.2f", 100 * value) }
}

/// `shared`, `own` or a number.
struct PenaltyChoice: ExpressibleByArgument {
  let choice: CompareStage.Penalty

  init?(argument: String) {
    switch argument {
    case "shared": choice = .shared
    case "own": choice = .own
    default:
      guard let number = Double(argument), number > 0 else { return nil }
      choice = .fixed(number)
    }
  }
}
