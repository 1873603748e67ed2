import ArgumentParser
import Pipeline

struct ClassifyEvaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Test a classifier on images with right labels.",
    discussion: """
      Shows top-1 and top-5 accuracy with Clopper and Pearson's 95 % intervals, recall and precision per class, and \
      the most frequent confusions.
      """)

  @Option(help: "The classifier's file (default: the one trained last).", completion: .file())
  var classifier: String?
  @Option(help: "The images' split.")
  var split = "test"
  @Option(help: "A column with the true labels, if the imported labels are noisy.")
  var truth: String?
  @OptionGroup var device: DeviceOption
  @OptionGroup var compute: ThreadOptions
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    try compute.prepareEngine()
    var stage = ClassifyEvaluateStage()
    stage.file = classifier
    stage.split = split
    stage.truth = truth
    stage.threads = compute.threads
    stage.device = device.choice
    let outcome = try stage.run(try workspace.open(), progress: workspace.output.progress)
    try workspace.output.print(outcome) { outcome.text }
  }
}

extension ClassifyEvaluateStage.Outcome {

  var text: String {
    var table = Table(["class", "images", "right %", "precision %", "most often taken for"])
    for (label, row) in classes.enumerated() where row.images > 0 || row.precision != nil {
      let wrong = confusion[label].indices.filter { $0 != label && confusion[label][$0] > 0 }
      let worst = wrong.max { confusion[label][$0] < confusion[label][$1] }
      table.add([
        row.name, "\(row.images)", row.recall.map(Self.percent) ?? "–",
        row.precision.map(Self.percent) ?? "–",
        worst.map { "\(classes[$0].name) (\(confusion[label][$0]))" } ?? "–",
      ])
    }
    return """
      \(images) images tested\(problems > 0 ? ", \(problems) cannot be read" : ""); trained with the weights \(weights)
      top-1 \(Self.percent(top1.mean)) % (\(Self.percent(top1.low)) to \(Self.percent(top1.high))), \
      top-5 \(Self.percent(top5.mean)) %, mean over classes \(Self.percent(classMean)) %

      \(table.text)
      """
  }

  private static func percent(_ share: Double) -> String { String(format: "%.2f", 100 * share) }
}
