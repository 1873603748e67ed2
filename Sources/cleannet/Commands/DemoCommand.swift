import ArgumentParser
import Datasets
import Foundation
import Images
import Pipeline
import Workspace

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Show all steps on real images, explained one by one.",
    discussion: """
      Takes 12,000 images of Fashion-MNIST (Debian's package dataset-fashion-mnist) and gives 30 % of them the label \
      of a similar class. Then it verifies 100 images in each of 3 of the 10 classes, and finds the wrong labels in \
      the other 7.
      """)

  @OptionGroup var compute: ComputeOptions
  @OptionGroup var workspace: WorkspaceOptions

  static let verifiedClasses = ["Dress", "Pullover", "Sneaker"]
  static let perClass = 100

  private var path: String { workspace.workspace ?? "cleannet-demo" }

  func run() throws {
    try compute.prepareEngine()
    try Vips.load()
    guard FileManager.default.fileExists(atPath: DemoDataset.folder) else {
      throw PipelineError(
        .missingComponent, "The demonstration's images are not at \(DemoDataset.folder)",
        remedy: SystemPackages.current.remedy(.demonstration))
    }
    let progress = workspace.output.progress
    let store = try Workspace(path: path, create: true)

    say(
      1, "Import",
      """
      \(DemoDataset.images) real images of clothes. \(Int(DemoDataset.noise * 100)) % of the labels are wrong on \
      purpose. So we know the truth and can measure how many wrong labels are found. The method itself never sees the \
      truth.
      """)
    try importImages(into: store, progress: progress)

    say(
      2, "Embed",
      """
      A network trained on ImageNet describes every image by 1,280 numbers: images that look alike get similar \
      numbers. Only this step reads the images.
      """)
    var embedding = EmbedStage()
    // The default network, whose weights come with the program, at a small size: the images are 28 pixels wide, and a
    // demonstration should not keep one waiting.
    embedding.networks = EmbedStage.Quality.good.networks
    embedding.size = 128
    embedding.threads = compute.threads
    try embedding.run(store, progress: progress)

    say(
      3, "Verify",
      """
      A person glances at \(Self.perClass) images in each of 3 of the 10 classes (\
      \(Self.verifiedClasses.joined(separator: ", "))): is the label right, yes or no? Here the truth answers in \
      the person's place. Nobody looks at the other 7 classes.
      """)
    try verify(store)

    say(
      4, "Train",
      """
      CleanNet learns from features and labels what the images of each class look like, and how labels go wrong. No \
      verdict is needed for that: the verdicts decide later how far each piece of evidence is believed.
      """)
    var training = TrainStage()
    training.seed = compute.seed
    training.threads = compute.threads
    _ = try training.run(store, progress: progress)

    say(
      5, "Score",
      "Every label in every class gets the probability that it is right; below ½ it counts as wrong.")
    var scoring = ScoreStage()
    scoring.threads = compute.threads
    let scores = try scoring.run(store, progress: progress)

    say(
      6, "Evaluate",
      """
      Now we compare with the truth, and with other methods: agreement with the 50 nearest neighbors, the confidence \
      of a cross-validated classifier in the label (cleanlab's ranking), the distance to the class's average, and \
      believing every label.
      """)
    var stage = EvaluateStage(truth: DemoDataset.truthColumn)
    stage.seed = compute.seed
    stage.threads = compute.threads
    let evaluation = try stage.run(store, progress: progress)

    say(7, "Report", "A page with all results: open \(path)/report/index.html in a browser.")
    try ReportCommand.writeIfOutdated(
      store, truth: DemoDataset.truthColumn, compute: compute, progress: progress)

    let out = "\(path)/scores.csv"
    try ScoreExport.write(store, format: .csv, to: out)
    if workspace.output.json {
      try workspace.output.print(evaluation) { "" }
    } else {
      print("\n\(evaluation.text)\n\n\(summary(evaluation, scores, out: out))")
    }
  }

  private func importImages(into store: Workspace, progress: ConsoleProgress) throws {
    let source = try DatasetSource(path: DemoDataset.folder)
    guard try store.source(source, options: DatasetOptions()) == nil else { return }
    let dataset = Dataset(format: DemoDataset(source: source, options: DatasetOptions()))
    progress.begin("Importing", total: DemoDataset.images, unit: "images")
    let summary = try store.importSamples(from: dataset, source: source) { progress.update($0) }
    progress.end("\(summary.source.samples.count) images")
  }

  private func verify(_ store: Workspace) throws {
    guard try store.verifications().isEmpty else { return }
    let outcome = try VerificationStages.simulating(
      store, truth: DemoDataset.truthColumn, classes: .named(Self.verifiedClasses), perClass: Self.perClass,
      seed: compute.seed)
    guard !workspace.output.json else { return }
    print("\(outcome.right) labels are right, \(outcome.wrong) wrong.")
  }

  private func say(_ step: Int, _ title: String, _ text: String) {
    guard !workspace.output.json else { return }
    print("\n\(step). \(title)\n\(text)")
    // Progress goes to stderr: all streams flushed, so that the two stay in order in a file too.
    fflush(nil)
  }

  private func summary(_ evaluation: EvaluateStage.Outcome, _ scores: ScoreStage.Outcome, out: String)
    -> String
  {
    let row = evaluation.detectors.first { $0.name == "cleannet" && $0.split == .heldOut }
    let found = row.map { row in
      let count = Int((row.metrics.recall * Double(row.metrics.wrong)).rounded())
      return
        "In the 7 classes that nobody verified CleanNet found \(count) of \(row.metrics.wrong) wrong labels "
        + "(\(row.metrics.recall.percent)); \(row.metrics.precision.percent) of the labels it calls wrong are."
    }
    return """
      \(found ?? "")
      All scores: \(out). The most suspicious first:
        cleannet status -w \(path)
        sort -t, -g -k5 \(out) | head
      Your own folder of images: cleannet run FOLDER (see README.md).
      """
  }
}
