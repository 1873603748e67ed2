import Classifier
import Foundation
import Torch
import Workspace

/// The data a classifier is trained and tested on: features, noisy labels, and images of the split `test`, whose labels are
/// taken to be right.
struct ClassifierData {
  let data: LabeledFeatures
  /// Samples that are trained on, and their classes.
  let examples: [Int]
  let labels: [Int]
  /// Samples of the split `test` with features, and their classes.
  let tests: [Int]
  let testLabels: [Int]

  var classNames: [String] { data.classNames }
  var features: MappedFeatures { data.features }

  /// - Parameter truth: A column whose values take the place of the test images' labels, where it has any.
  init(_ workspace: Workspace, truth: String? = nil) throws {
    let workspace = try workspace.snapshot()
    data = try LabeledFeatures(workspace)
    examples = data.labels.indices.filter { [labels = data.labels] in labels[$0] >= 0 }
    labels = examples.map { [labels = data.labels] in labels[$0] }
    var classes = try workspace.labels { $0 == "test" }.map(Int.init)
    if let truth {
      let numbers = Dictionary(uniqueKeysWithValues: data.classNames.enumerated().map { ($1, $0) })
      for (sample, name) in try workspace.attribute(truth).enumerated() where classes[sample] >= 0 {
        guard let name, !name.isEmpty else { continue }
        classes[sample] = numbers[name] ?? -1
      }
    }
    let features = data.features
    tests = classes.indices.filter { classes[$0] >= 0 && features.has($0) }
    testLabels = tests.map { classes[$0] }
  }

  func requireTests() throws {
    guard tests.isEmpty else { return }
    throw PipelineError(
      .missingInput, "There are no images of the split test to evaluate on",
      remedy: "Import some whose labels are right: cleannet import SOURCE --split test, then cleannet embed")
  }

  /// Metrics of a head on the test images.
  func test(_ head: Head) -> ClassificationMetrics {
    var tally = ClassificationMetrics.Tally(classes: head.classes)
    for start in stride(from: 0, to: tests.count, by: 4096) {
      let range = start..<min(start + 4096, tests.count)
      tally.add(logits: head.logits(features.rows(Array(tests[range]))), labels: Array(testLabels[range]))
    }
    return tally.metrics
  }

  func weightMaker(_ workspace: Workspace, truth: TruthColumn?) -> WeightMaker {
    WeightMaker(
      workspace: workspace, examples: examples, labels: labels, verdicts: data.verdicts, truth: truth)
  }

  /// Classes whose images all weigh nothing: the classifier can never name them.
  func silentClasses(_ weights: SampleWeights) -> [String] {
    let masses = weights.masses(labels: labels, classes: classNames.count)
    return Set(labels).sorted().filter { masses[$0] == 0 }.map { classNames[$0] }
  }
}

extension MappedFeatures {
  /// Whether a sample has features.
  func has(_ sample: Int) -> Bool { rows([sample]).sum().item.isFinite }
}
