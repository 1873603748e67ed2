import ArgumentParser
import Foundation
import Pipeline

struct ClassifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify", abstract: "Train an image classifier with CleanNet's weights, test and use it.",
    discussion: """
      Weights: none (every image counts 1), soft and hard (what `score` says), mixed (soft, and the suggested class \
      counts besides), oracle (drops every label that the column --truth contradicts), a column, or a table with the \
      columns key and weight.
      """,
    subcommands: [ClassifyCompare.self])
}

struct ClassifyCompare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Train one classifier for each way to weigh images, and test all on split test.",
    discussion: """
      Heads on stored features. With several seeds CleanNet is trained anew for each; intervals are Student's, of 95 %. \
      The gain share tells how much of what `oracle` gains over `none` is reached.
      """)

  @Option(help: "The column that holds the true labels.")
  var truth: String
  @Option(help: "Ways to weigh, comma-separated.")
  var weights = "none,soft,hard,oracle"
  @Option(help: "How many times, each with another seed.")
  var seeds = 1
  @OptionGroup var head: HeadOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var workspace: WorkspaceOptions

  func validate() throws {
    guard seeds > 0 else { throw ValidationError("--seeds must be at least 1.") }
    let names = weights.split(separator: ",")
    guard !names.isEmpty, Set(names).count == names.count else {
      throw ValidationError("--weights needs names that differ, separated by commas.")
    }
  }

  func run() throws {
    try compute.prepareEngine()
    var stage = CompareStage(
      truth: truth, weightings: weights.split(separator: ",").map { Weighting(String($0)) })
    (stage.seeds, stage.seed, stage.threads) = (seeds, compute.seed, compute.threads)
    (stage.relabel, stage.classBalanced, stage.penalty) = (head.relabel, head.classBalanced, head.penalty)
    let outcome = try stage.run(try workspace.open(), progress: workspace.output.progress)
    try workspace.output.print(outcome) { outcome.text }
  }
}

/// How the images' weights become a head.
struct HeadOptions: ParsableArguments {
  @Option(
    help: """
      Takes the suggested class instead of the label where the label is wrong with at least this probability, say 0.9 \
      (weights soft and hard).
      """)
  var relabel: Double?
  @Flag(help: "Gives every class the same total weight.")
  var classBalanced = false
  @Option(help: "The penalty on the head's weights; by default chosen on images held aside.")
  var penalty: Double?

  func validate() throws {
    if let relabel, !(relabel > 0.5 && relabel <= 1) {
      throw ValidationError("--relabel must lie above 0.5 and be at most 1.")
    }
    if let penalty, penalty <= 0 { throw ValidationError("--penalty must be above 0.") }
  }
}

extension CompareStage.Outcome {
  var text: String {
    var table = Table([
      "weights", "top-1 %", "95 % interval", "top-5 %", "class mean %", "share of oracle's gain",
    ])
    for run in runs {
      table.add([
        run.weights, percent(run.top1.mean), "\(percent(run.top1.low)) to \(percent(run.top1.high))",
        percent(run.top5.mean), percent(run.classMean.mean), gainShare[run.weights].map(\.percent) ?? "–",
      ])
    }
    return "\(trainImages) images trained on (\(noiseRate.percent) of labels wrong, \(verified) verified), "
      + "\(testImages) tested, \(seeds) seed\(seeds == 1 ? "" : "s")\n\n\(table.text)"
  }

  private func percent(_ value: Double) -> String { String(format: "%.2f", 100 * value) }
}
