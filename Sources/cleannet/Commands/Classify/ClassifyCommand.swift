import ArgumentParser
import Pipeline

struct ClassifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify", abstract: "Train an image classifier with CleanNet's weights, test and use it.",
    discussion: """
      Weights: none (every image counts 1), soft and hard (what `score` says), mixed (soft, and the suggested class \
      counts besides), oracle (drops every label that the column --truth contradicts), a column, or a table with the \
      columns key and weight.
      """,
    subcommands: [
      ClassifyTrain.self, ClassifyEvaluate.self, ClassifyPredict.self, ClassifyExport.self,
      ClassifyCompare.self,
    ])
}

/// What becomes of the images' weights.
struct WeightingOptions: ParsableArguments {
  @Option(
    help: """
      Takes the suggested class instead of the label where the label is wrong with at least this probability, say 0.9 \
      (weights soft and hard).
      """)
  var relabel: Double?
  @Flag(help: "Gives every class the same total weight.")
  var classBalanced = false

  func validate() throws {
    if let relabel, !(relabel > 0.5 && relabel <= 1) {
      throw ValidationError("--relabel must lie above 0.5 and be at most 1.")
    }
  }
}
