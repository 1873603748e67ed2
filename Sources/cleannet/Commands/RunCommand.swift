import ArgumentParser
import Datasets
import Foundation
import Images
import Pipeline
import Workspace

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run all steps: import, embed, train, score, report.",
    discussion: """
      Does only what is missing, so it can be run again after an interruption, or when more images have been verified. \
      Without verified images it judges by features and labels alone, and says how verdicts would help.
      """)

  @Argument(help: "A folder or a file; see `cleannet help import`.", completion: .file())
  var source: String
  @Option(
    help: "A table of verdicts to import first; see `cleannet verify import --help`.", completion: .file())
  var verifications: String?
  @Option(help: "Write the scores to this file.", completion: .file())
  var out: String?
  @Option(
    help:
      "The largest share of wrong labels among the kept images, such as 2%; see `cleannet help score` (default: as in the last run)."
  )
  var targetNoise: Share?
  @Flag(inversion: .prefixedNo, help: "Write the report into the workspace; see `cleannet help report`.")
  var report = true

  @OptionGroup(title: "Import") var importing: ImportOptions
  @OptionGroup(title: "Embedding") var embedding: EmbedOptions
  @OptionGroup(title: "Training") var training: TrainOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var memory: MemoryOptions
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    let progress = workspace.output.progress
    let dataset = try DatasetReader.open(source: source, options: importing.datasetOptions())
    try ImportOptions.refuseIdle([dataset])
    guard !embedding.isGiven || dataset.features == nil && importing.features == nil else {
      throw ValidationError("Options of embedding have no effect: \(source) brings its features.")
    }
    memory.apply()
    try compute.prepareEngine()
    if dataset.features == nil, importing.features == nil { try Vips.load() }
    let store = try workspace.filling { store in
      try importing.importIfNew(source, into: store, progress: progress)
      return store
    }
    if let verifications {
      let imported = try VerificationStages.importing(
        verifications, into: store, person: NSUserName(), onlyNews: true)
      if imported.superseded > 0 {
        progress.warn(
          "\(imported.superseded) verdicts of \(verifications) were imported before and changed since; they stay as they "
            + "are. To go back: cleannet verify import \(verifications)")
      }
    }
    if try store.featureSet(key: FeatureSet.imported) == nil {
      let outcome = try embedding.stage(threads: compute.threads, after: store, progress: progress)
        .run(store, progress: progress)
      if outcome.problems > 0 {
        progress.warn("\(outcome.problems) images cannot be read; see cleannet status --problems")
      }
    }
    // Only the paper's objective learns from nothing but verdicts.
    if try training.objective == .extended || !store.verifications().isEmpty {
      _ = try training.stage(compute, embedding.device).run(store, progress: progress)
      var scoring = ScoreStage()
      scoring.threads = compute.threads
      scoring.device = embedding.device.choice
      scoring.targetNoise = try targetNoise?.value ?? ScoreStage.lastSettings(store)?.targetNoise
      _ = try scoring.run(store, progress: progress)
      if let out { try ScoreExport.write(store, format: nil, to: out) }
      if report { try ReportCommand.writeIfOutdated(store, compute: compute, progress: progress) }
    }
    let overview = try WorkspaceOverview(store)
    try workspace.output.print(overview) { overview.text(allClasses: false) }
  }
}
