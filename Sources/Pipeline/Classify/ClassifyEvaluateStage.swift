import Classifier
import Evaluation
import Foundation
import Torch
import Workspace

/// Tests a classifier on images whose labels are right.
package struct ClassifyEvaluateStage: Sendable {
  /// The classifier's file; nil: the best weights of the one trained last.
  package var file: String?
  /// The images' split.
  package var split = "test"
  /// A column whose values take the place of the images' labels, where it has any.
  package var truth: String?
  package var threads = 2
  package var device = DeviceChoice.auto

  package init() {}

  package struct Outcome: Sendable, Encodable {
    package struct ClassRow: Sendable, Encodable {
      package var name: String
      package var images: Int
      /// The share of the class's images that is classified right; nil where there are none.
      package var recall: Double?
      /// The share of right ones among what is said to be of the class.
      package var precision: Double?
    }

    package var file: String
    package var weights: String
    package var images: Int
    /// Images that could not be read.
    package var problems: Int
    /// With Clopper and Pearson's 95 % intervals over the images.
    package var top1: Estimate
    package var top5: Estimate
    package var classMean: Double
    package var classes: [ClassRow]
    /// Row: the label. Column: what the classifier says.
    package var confusion: [[Int]]
  }

  package func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let file = try ClassifierFile(path: try self.file ?? Self.latest(workspace))
    let (metrics, problems) = try test(workspace, file, progress: progress)
    return outcome(metrics, file, problems: problems)
  }

  /// The classifier's metrics on the images that can be read, and the number of the others.
  func test(
    _ workspace: Workspace, _ file: ClassifierFile, progress: some ProgressReporter
  ) throws -> (metrics: ClassificationMetrics, problems: Int) {
    let (samples, labels) = try images(workspace, classes: file.about.classes)
    var tally = ClassificationMetrics.Tally(classes: file.about.classes.count)
    var tested = 0
    var problems = 0
    if let features = try storedFeatures(workspace, file) {
      let head = try file.head()
      progress.begin("Testing", total: samples.count, unit: "images")
      for range in (0..<samples.count).blocks(of: 4096) {
        let rows = features.rows(samples[range].map { $0 })
        let good = rows.sum(dim: 1).floats().enumerated().filter { $0.element.isFinite }.map(\.offset)
        problems += range.count - good.count
        guard !good.isEmpty else { continue }
        tally.add(
          logits: head.logits(rows.indexSelect(Tensor(good))),
          labels: good.map { labels[range.lowerBound + $0] })
        progress.update(range.upperBound)
      }
    } else if let preparation = file.about.preparation {
      let network = try file.network(on: device)
      try DownloadStage().runIfNeeded(workspace, progress: progress)
      let images = try SampleImages(workspace, samples: samples)
      progress.begin("Testing", total: samples.count, unit: "images")
      network.forEachBatch(
        images.loader(preparation, threads: threads), batches: (samples.count + 31) / 32, threads: threads
      ) { answer in
        if let logits = answer.logits { tally.add(logits: logits, labels: answer.images.map { labels[$0] }) }
        tested += answer.images.count
        for (place, problem) in answer.problems {
          problems += 1
          if problems <= 20 { progress.warn("\(images.keys[place]): \(problem.explanation)") }
        }
        progress.update(tested + problems)
      }
    } else {
      throw PipelineError(
        .badInput, "The classifier \(file.path) was trained on features that the workspace does not have",
        remedy: "Train it again: cleannet classify train")
    }
    progress.end("\(samples.count - problems) images")
    return (tally.metrics, problems)
  }

  private func outcome(_ metrics: ClassificationMetrics, _ file: ClassifierFile, problems: Int) -> Outcome {
    func estimate(_ share: Double) -> Estimate {
      let hits = Int((share * Double(metrics.images)).rounded())
      return Estimate(
        mean: share,
        low: ClopperPearson.lowerBound(
          successes: hits, trials: metrics.images, confidence: 0.975),
        high: ClopperPearson.upperBound(
          successes: hits, trials: metrics.images, confidence: 0.975))
    }
    let rows = file.about.classes.enumerated().map { label, name in
      Outcome.ClassRow(
        name: name, images: metrics.confusion[label].reduce(0, +), recall: metrics.recall(label),
        precision: metrics.precision(label))
    }
    return Outcome(
      file: file.path, weights: file.about.weights, images: metrics.images, problems: problems,
      top1: estimate(metrics.top1), top5: estimate(metrics.top5), classMean: metrics.classMean, classes: rows,
      confusion: metrics.confusion)
  }

  /// The best weights of the classifier that was trained last.
  package static func latest(_ workspace: Workspace) throws -> String {
    let files = try workspace.finishedRun(stage: ClassifyTrainStage.usualRunName).map {
      ClassifierFiles(folder: workspace.modelFolder(key: $0.key))
    }
    guard let files, FileManager.default.fileExists(atPath: files.best) else {
      throw PipelineError(
        .missingInput, "No classifier has been trained yet", remedy: "Run: cleannet classify train")
    }
    return files.best
  }

  /// The samples of the split, and what each is for the classifier.
  private func images(_ workspace: Workspace, classes: [String]) throws -> (samples: [Int], labels: [Int]) {
    let numbers = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    let names = try workspace.classNames()
    let truths = try truth.map { try TruthColumn.values(workspace, named: $0) }
    var samples: [Int] = []
    var labels: [Int] = []
    for (sample, label) in try workspace.labels(where: { $0 == split }).enumerated() where label >= 0 {
      let given = truths?[sample].flatMap { $0.isEmpty ? nil : $0 } ?? names[Int(label)]
      guard let number = numbers[given] else { continue }
      samples.append(sample)
      labels.append(number)
    }
    guard !samples.isEmpty else {
      let splits = try workspace.splitNames()
      throw PipelineError(
        .missingInput, "There are no images of the split \(split) whose class the classifier knows",
        remedy: "Splits are: \(splits.joined(separator: ", ")). Import images whose labels are right: "
          + "cleannet import SOURCE --split test")
    }
    return (samples, labels)
  }

  /// The features that a head was trained on, where the workspace still has them.
  private func storedFeatures(_ workspace: Workspace, _ file: ClassifierFile) throws -> MappedFeatures? {
    guard let key = file.about.features, let set = try workspace.featureSet(key: key) else { return nil }
    let count = try workspace.sampleCount()
    guard set.missing(of: count).isEmpty else { return nil }
    return MappedFeatures(try workspace.featureMatrix(set))
  }
}
