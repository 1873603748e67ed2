import ArgumentParser
import Pipeline

extension ClassifyPredictStage.Format: ExpressibleByArgument {}

struct ClassifyPredict: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Classify new images.",
    discussion: """
      Writes one row per image: path, class, probability, or the reason why it cannot be read.

        cleannet classify predict new/ --out predictions.csv
        cleannet classify predict a.jpg list.txt --top 3 --format jsonl
      """)

  @Argument(help: "Image files, folders of them, and text files that list some.", completion: .file())
  var sources: [String]
  @Option(help: "The classifier's file (default: the one trained last).", completion: .file())
  var classifier: String?
  @Option(help: "Number of classes per image.")
  var top = 1
  @Option(help: "csv, tsv or jsonl (default: by the file's name).")
  var format: ClassifyPredictStage.Format?
  @Option(help: "The output file; - is stdout.", completion: .file())
  var out = "-"
  @OptionGroup var device: DeviceOption
  @OptionGroup var compute: ThreadOptions
  @OptionGroup var workspace: WorkspaceOptions

  func validate() throws {
    guard top > 0 else { throw ValidationError("--top must be at least 1.") }
    guard !workspace.output.json || out != "-" else {
      throw ValidationError(
        "--json prints a summary: name a file for the rows with --out, or take --format jsonl.")
    }
  }

  func run() throws {
    try compute.prepareEngine()
    let file = try classifier ?? ClassifyEvaluateStage.latest(try workspace.open())
    var stage = ClassifyPredictStage(file: file, sources: sources)
    stage.top = top
    stage.format = format
    stage.out = out
    stage.threads = compute.threads
    stage.device = device.choice
    let outcome = try stage.run(progress: workspace.output.progress)
    guard out != "-" else { return }
    try workspace.output.print(outcome) {
      "\(outcome.images) images predicted, \(outcome.problems) cannot be read; written to \(outcome.out)"
    }
  }
}
