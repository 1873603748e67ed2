import ArgumentParser
import Evaluation
import Pipeline

struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "Judge every label, also in classes nobody verified.",
    discussion: """
      For each image: the probability that its label is right, a decision, a better class, and a sample weight. \
      `cleannet export scores` writes them as a table.
      """)

  @Option(
    help: ArgumentHelp(
      "The largest share of wrong labels among the kept images, such as 2%.",
      discussion: """
        Chooses the lowest threshold for which the verified images show this with 95 % confidence, in the verified \
        classes.
        """))
  var targetNoise: Share?
  @OptionGroup var neighbors: RecallOption
  @OptionGroup var device: DeviceOption
  @OptionGroup var compute: ThreadOptions
  @OptionGroup var memory: MemoryOptions
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    memory.apply()
    try compute.prepareEngine()
    var stage = ScoreStage()
    stage.threads = compute.threads
    stage.device = device.choice
    stage.targetNoise = targetNoise?.value
    stage.recall = neighbors.recall?.value
    let outcome = try stage.run(try workspace.open(), progress: workspace.output.progress)
    try workspace.output.print(outcome) { outcome.text }
  }
}

extension ScoreStage.Outcome {
  var text: String {
    let lines = [
      "\(images) labels judged: \(wrong) look wrong (\((Double(wrong) / Double(max(1, images))).percent)); "
        + "expected share of wrong labels \(estimatedNoise.percent).",
      guarantee?.text(uncovered: uncovered), sample,
    ]
    return lines.compactMap { $0 }.joined(separator: "\n")
  }

  /// How many verdicts carry the guarantee, and what to do where none does.
  private var sample: String? {
    if verified == 0 {
      return
        "Nobody has verified an image yet, so these judgements rest on features and labels alone, and there is no "
        + "guarantee. 50 random images, judged in a minute or two with `cleannet review`, show how much noise is left."
    }
    if drawnAtRandom == 0 {
      return
        "None of the \(verified) verified images is known to be drawn at random, so there is no guarantee. Judge the "
        + "pages that `cleannet review` draws."
    }
    let unsure = unsureAtRandom ?? 0
    let sure = drawnAtRandom - unsure
    let unsureText =
      unsure > 0
      ? "\(unsure) random images were answered \"not sure\"; the guarantee counts them as wrong." : nil
    guard sure < verified else { return unsureText }
    let text =
      "\(sure) of the \(verified) verified images were drawn at random and count for the guarantee. The others were "
      + "picked because they looked doubtful, or were imported without saying how they were picked: they help the model, but "
      + "say nothing about how common errors are."
    return [text, unsureText].compactMap { $0 }.joined(separator: "\n")
  }
}

extension NoiseGuarantee {
  func text(uncovered names: [String]) -> String {
    let start =
      "Of the \(overall.kept) labels kept in \(covered.count) verified classes at most \(overall.upper.percent) are wrong, with "
      + "\(Int(confidence * 100)) % confidence (\(overall.wrong) of \(overall.sample) random ones are). "
      + "If you stopped verifying because this looked good, it is at most \(overall.upperAtAnyTime.percent)."
    guard !names.isEmpty else { return start }
    let shown =
      names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
    return start + " Not covered, because too few of their images were drawn at random: \(shown)."
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
