import ArgumentParser
import Pipeline

struct ClassifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify",
    abstract: "Train, test and use an image classifier with CleanNet's sample weights.",
    discussion: """
      Sample weights: none (every image counts 1), soft or hard (from `score`), mixed (soft, and the suggested class \
      counts, too), or oracle (drops labels that differ from the column --truth). Or name a column, or a table with \
      the columns key and weight.
      """,
    subcommands: [
      ClassifyTrain.self, ClassifyEvaluate.self, ClassifyPredict.self, ClassifyExport.self,
      ClassifyCompare.self,
    ])
}

/// Options for the images' weights.
struct WeightingOptions: ParsableArguments {
  @Option(
    help: """
      Use the suggested class if the label is wrong with at least this probability, such as 0.9 (weights soft and \
      hard).
      """)
  var relabel: Double?
  @Flag(help: "Give every class the same total weight.")
  var classBalanced = false

  func validate() throws {
    if let relabel, !(relabel > 0.5 && relabel <= 1) {
      throw ValidationError("--relabel must lie above 0.5 and be at most 1.")
    }
  }

  /// Refuses what has no effect on these kinds of weights.
  func check(weights: [String], truth: String?) throws {
    if relabel != nil, !weights.contains(where: { ["soft", "hard"].contains($0) }) {
      throw ValidationError("--relabel works only with the weights soft and hard.")
    }
    if truth != nil, !weights.contains("oracle") {
      throw ValidationError("--truth works only with the weights oracle.")
    }
  }
}
