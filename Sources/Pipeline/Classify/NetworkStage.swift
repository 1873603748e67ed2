import Artefacts
import Backbones
import Classifier
import Evaluation
import Foundation
import Images
import Torch
import Workspace

/// Fine-tunes a network on the workspace's images.
struct NetworkStage {
  let stage: ClassifyTrainStage
  let network: ClassifyTrainStage.FineTuningSettings

  init(_ stage: ClassifyTrainStage, _ network: ClassifyTrainStage.FineTuningSettings) {
    self.stage = stage
    var network = network
    network.recipe.seed = stage.seed
    self.network = network
  }

  /// The settings that the outcome depends on, beside the images and their weights.
  private struct Settings: Codable {
    var backbone: BackboneKind
    var weights: String
    var preparation: ImagePreparation
    var recipe: FineTuningRecipe
    var precision: String
    var validationShare: Double
  }

  func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> ClassifyTrainStage.Outcome {
    try Vips.load()
    try DownloadStage().runIfNeeded(workspace, progress: progress)
    try workspace.refuseChangedContainers()
    let device = try stage.device.device()
    let path = try BackboneWeights.path(network.backbone, named: network.weights)
    let declaration = ClassifierDeclaration(
      name: stage.runName, leaves: ["best.safetensors", "last.safetensors"], read: inputs
    ) { inputs in
      Settings(
        backbone: network.backbone, weights: try BackboneWeights.fingerprint(path),
        preparation: inputs.preparation, recipe: network.recipe,
        precision: "\(network.recipe.precision.dtype(on: device))", validationShare: network.validationShare)
    }
    return try stage.run(declaration, workspace) { inputs, _, key, files in
      let images = try SampleImages(inputs.snapshot, samples: inputs.examples)
      let decoder = ImageDecoder(inputs.preparation, limits: images.limits)
      let data = FineTuningData(
        labels: inputs.labels, weights: inputs.weights, classes: inputs.classes.count,
        validation: validation(inputs.examples), preparation: inputs.preparation
      ) { (place, pixels, augmentation, seed) throws(ImageProblem) in
        try images.decode(place, into: pixels, by: decoder, augmentation: augmentation, seed: seed)
      }
      let about = ClassifierFile.About(
        backbone: network.backbone, preparation: inputs.preparation, precision: network.recipe.precision,
        classes: inputs.classes, weights: stage.weighting.name, features: nil)
      return try train(
        workspace, data, examples: inputs.examples, start: path, device: device, about: about, files: files,
        key: key, progress: progress)
    }
  }

  /// The inputs of training a network.
  private struct Inputs: StageInputs {
    let snapshot: Workspace
    let examples: [Int]
    let labels: [Int]
    let classes: [String]
    let weights: SampleWeights
    let preparation: ImagePreparation
    let digests: [String: String]
  }

  private func inputs(_ snapshot: Workspace) throws -> Inputs {
    let all = try snapshot.trainLabels()
    let examples = all.indices.filter { all[$0] >= 0 && !stage.leftOut.contains($0) }
    let labels = examples.map { all[$0] }
    guard Set(labels).count >= 2 else {
      throw PipelineError(
        .badInput, "Fewer than two classes have images to train on", remedy: "Import more classes")
    }
    let verdicts = Dictionary(
      uniqueKeysWithValues: try snapshot.verifications().map { ($0.sample, $0.isRight) })
    let weights = try stage.weights(snapshot, examples: examples, labels: labels, verdicts: verdicts)
    return Inputs(
      snapshot: snapshot, examples: examples, labels: labels, classes: try snapshot.classNames(),
      weights: weights, preparation: ImagePreparation(size: try size(snapshot)),
      digests: [
        InputName.images: try snapshot.fingerprint(of: .images),
        InputName.labels: try snapshot.fingerprint(of: .labels),
        InputName.weights: weights.hash + (stage.leftOut.isEmpty ? "" : " " + StableHash.of("\(examples)")),
      ])
  }

  private func train(
    _ workspace: Workspace, _ data: FineTuningData, examples: [Int], start path: String, device: Device,
    about: ClassifierFile.About, files: ClassifierFiles, key: String, progress: some ProgressReporter
  ) throws -> ClassifyTrainStage.Outcome {
    let recipe = network.recipe
    let begin = ContinuousClock.now
    let backbone = try TrainableBackbone(
      network.backbone, weights: path, trainedStages: recipe.trainedStages, precision: recipe.precision,
      batchNorm: recipe.batchNorm, device: device)
    let classifier = ImageClassifier(backbone, classes: data.classes)
    let masses = data.weights.masses(labels: data.labels, classes: data.classes)
    guard data.trainingCount > 0 else {
      throw PipelineError(
        .badInput, "All images with a weight are held out for validation",
        remedy: "Hold out fewer: --validation 0")
    }
    let tuning = FineTuning(classifier, recipe: recipe, data: data, threads: stage.threads)
    progress.begin(
      "Fine-tuning \(network.backbone) at \(data.preparation.size) px on \(device)", total: tuning.totalSteps,
      unit: "steps")
    do {
      try tuning.run(keeper: keeper(files, about: about)) { progress.update($0) }
    } catch let error as FineTuningError {
      throw PipelineError(
        .badInput, "\(error)",
        remedy: recipe.batchSize > 1
          ? "Use smaller batches: --batch \(recipe.batchSize / 2) --accumulate \(2 * recipe.accumulation)"
          : "Give a smaller --size, or --device cpu")
    }
    progress.end(Self.note(tuning.progress))
    try workspace.clearProblems(stage: "classify", in: 0..<Int.max)
    try workspace.addProblems(
      tuning.progress.problems.map { SampleProblem(sample: examples[$0], stage: "classify", what: $1) })
    guard tuning.progress.rows.contains(where: { $0.images > 0 }) else {
      throw PipelineError(
        .badInput, "None of the images with a weight can be read",
        remedy:
          "See why: cleannet status --problems. Download images that are given by an address: cleannet download"
      )
    }
    try ClassifierFile.write(tuning.currentWeights, about: about, to: files.last)
    return ClassifyTrainStage.Outcome(
      classifier: key, file: files.best, weights: stage.weighting.name,
      images: data.weights.countingExamples, classes: data.classes,
      silentClasses: Set(data.labels).sorted().filter { masses[$0] == 0 }.map { about.classes[$0] },
      problems: tuning.progress.problems.count, penalty: nil, epochs: tuning.progress.rows,
      bestEpoch: tuning.progress.bestEpoch, seconds: (ContinuousClock.now - begin).inSeconds, reused: false)
  }

  private static func note(_ progress: FineTuningState.Progress) -> String {
    guard let best = progress.rows.first(where: { $0.epoch == progress.bestEpoch }),
      let top1 = best.validationTop1
    else { return "\(progress.rows.count) epochs" }
    return String(format: "best epoch %d, %.1f %% of validation weights right", best.epoch, 100 * top1)
  }

  /// Images held out: by a hash of their number, so that they stay the same when others are added.
  private func validation(_ examples: [Int]) -> [Int] {
    examples.indices.filter { place in
      var random = SplitMix64(seed: network.recipe.seed ^ UInt64(examples[place]) &* 0x9E37_79B9_7F4A_7C15)
      return Double.random(in: 0..<1, using: &random) < network.validationShare
    }
  }

  /// Width and height of the images that the network sees.
  func size(_ workspace: Workspace) throws -> Int {
    if let size = network.size { return size }
    let embedded = try workspace.finishedRun(stage: "embed").flatMap {
      try? JSONDecoder().decode(EmbedStage.Settings.self, from: Data($0.settings.utf8))
    }
    let part = embedded?.parts.first { $0.backbone == network.backbone }
    return part?.preparation.size ?? network.backbone.inputSize
  }

  // MARK: Files

  private func keeper(_ files: ClassifierFiles, about: ClassifierFile.About) -> FineTuningKeeper {
    let progressKey = "progress"
    return FineTuningKeeper(
      interval: ClassifyTrainStage.stateInterval,
      restore: {
        guard let stored = Checkpoint.readSealed(path: files.state),
          let progress = try? stored.value(FineTuningState.Progress.self, key: progressKey)
        else { return nil }
        return FineTuningState(
          progress: progress, tensors: stored.tensors.map { (name: $0.name, tensor: Tensor($0.tensor)) })
      },
      keep: { state in
        try log(state.progress, files)
        var checkpoint = Checkpoint(state.tensors)
        try checkpoint.set(state.progress, key: progressKey)
        try checkpoint.writeSealed(to: files.state)
      },
      keepBest: { weights, _ in try ClassifierFile.write(weights, about: about, to: files.best) })
  }

  /// Log and curves, written anew each time from what the state knows, so that they agree with it.
  private func log(_ progress: FineTuningState.Progress, _ files: ClassifierFiles) throws {
    guard !progress.rows.isEmpty else { return }
    let lines = try progress.rows.map { try $0.json() }.joined(separator: "\n") + "\n"
    try AtomicFile.write(Data(lines.utf8), to: files.log)
    func line(_ name: String, _ value: (EpochRow) -> Double?) -> LinePlot.Line {
      LinePlot.Line(
        name: name,
        points: progress.rows.compactMap { row in
          value(row).map { LinePlot.Point(x: Double(row.epoch), y: $0) }
        }, hasMarks: true)
    }
    let plot = LinePlot(
      title: "Fine-tuning", xLabel: "epoch", yLabel: "loss; share right",
      lines: [
        line("training loss", \.loss), line("validation loss", \.validationLoss),
        line("validation top-1", \.validationTop1),
      ].filter { !$0.points.isEmpty })
    try AtomicFile.write(Data(plot.svg().utf8), to: files.curves)
  }
}
