import ArgumentParser
import Evaluation
import Pipeline

struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "Judge every label, also of classes that nobody verified.",
    discussion: "The scores are written as a table by `cleannet export`.")

  @Option(
    help: ArgumentHelp(
      "The largest share of wrong labels to leave among those kept, such as 2%.",
      discussion: """
        Picks the lowest threshold for which verified images show, with 95 % confidence, that no more is left in the \
        verified classes.
        """))
  var targetNoise: Share?
  @OptionGroup var neighbors: RecallOption
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    try compute.prepareEngine()
    var stage = ScoreStage()
    (stage.threads, stage.targetNoise) = (compute.threads, targetNoise?.value)
    stage.recall = neighbors.recall?.value
    let outcome = try stage.run(try workspace.open(), progress: workspace.output.progress)
    try workspace.output.print(outcome) { outcome.text }
  }
}

extension ScoreStage.Outcome {
  var text: String {
    "\(images) labels judged: \(wrong) look wrong (\((Double(wrong) / Double(max(1, images))).percent)); "
      + "expected share of wrong labels \(estimatedNoise.percent)."
      + (guarantee.map { "\n" + $0.text } ?? "")
  }
}

extension NoiseGuarantee {
  var text: String {
    "Of the images kept in the \(perClass.count) verified classes at most \(overall.upper.percent) are wrong, with "
      + "\(Int(confidence * 100)) % confidence (\(overall.wrong) of \(overall.sample) verified ones are)."
  }
}

/// A share on the command line: `2%` or `0.02`.
struct Share: ExpressibleByArgument {
  let value: Double

  init?(argument: String) {
    let isPercent = argument.hasSuffix("%")
    guard let number = Double(isPercent ? String(argument.dropLast()) : argument) else { return nil }
    value = isPercent ? number / 100 : number
    guard value > 0, value < 1 else { return nil }
  }
}
