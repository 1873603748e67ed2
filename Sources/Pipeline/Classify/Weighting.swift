import Classifier
import Datasets
import Foundation
import Workspace

/// How the images of a data set weigh in a classifier's training.
package enum Weighting: Sendable, Hashable, Codable {
  /// Every image weighs 1.
  case none
  /// CleanNet's w_soft: for the extended objective the probability that the label is right.
  case soft
  /// CleanNet's w_hard: 1 where the label is taken to be right, else 0.
  case hard
  /// w_soft for the label, and besides `(1 − w_soft)²` for the suggested class where that is another one.
  ///
  /// The square is what a suggestion is worth: it is right only where the label is wrong, and then about as surely as the
  /// label is wrong.
  case mixed
  /// 1 where a column with the truth agrees with the label, else 0: the weights if every image were verified.
  case oracle
  /// A column of the data set, or a table with the columns key and weight.
  case named(String)

  package init(_ name: String) {
    self =
      switch name {
      case "none": .none
      case "soft": .soft
      case "hard": .hard
      case "mixed": .mixed
      case "oracle": .oracle
      default: .named(name)
      }
  }

  package var name: String {
    switch self {
    case .none: "none"
    case .soft: "soft"
    case .hard: "hard"
    case .mixed: "mixed"
    case .oracle: "oracle"
    case .named(let name): name
    }
  }

  /// Whether it needs CleanNet's scores.
  var usesScores: Bool { [.soft, .hard, .mixed].contains(self) }
}

/// The scores of each sample, as training a classifier needs them. NaN and −1 for samples without a score.
struct SampleScores: Sendable {
  var soft: [Float]
  var hard: [Float]
  var suggested: [Int]

  init(_ table: ScoreTable) {
    soft = table.map(\.softWeight)
    hard = table.map(\.hardWeight)
    suggested = table.map { Int($0.suggestedLabel) }
  }

  init(soft: [Float], hard: [Float], suggested: [Int]) {
    self.soft = soft
    self.hard = hard
    self.suggested = suggested
  }

  /// The scores of the last `score`.
  static func last(_ workspace: Workspace) throws -> (scores: SampleScores, key: String) {
    guard let run = try workspace.finishedRun(stage: "score"), let table = try workspace.scores(key: run.key)
    else {
      throw PipelineError(
        .missingInput, "There are no scores for the weights",
        remedy: "Run: cleannet train, then cleannet score; or choose --weights none")
    }
    return (SampleScores(table), run.key)
  }
}

/// Makes weights of scores, verdicts, columns and files.
struct WeightMaker {
  let workspace: Workspace
  /// The samples that are trained on, and their classes.
  let examples: [Int]
  let labels: [Int]
  let verdicts: [Int: Bool]
  /// Samples that people found to be no use.
  var leftOut: Set<Int> = []
  let truth: TruthColumn?
  /// Takes the suggested class for the label of images whose label is wrong with at least this probability.
  var relabel: Double?
  var classBalanced = false

  func weights(_ weighting: Weighting, scores: SampleScores?) throws -> SampleWeights {
    var maker = self
    maker.leftOut = Set(
      try workspace.currentAnswers().filter { $0.remark?.leavesOut == true }.map(\.sample))
    let weights = try maker.plain(weighting, scores: scores)
    guard classBalanced else { return weights }
    return weights.classBalanced(labels: labels, classes: try workspace.classNames().count)
  }

  private func plain(_ weighting: Weighting, scores: SampleScores?) throws -> SampleWeights {
    switch weighting {
    case .none: return .equal(examples.count)
    case .hard:
      let scores = try required(scores)
      return relabelled(weights(scores.hard), scores)
    case .soft:
      let scores = try required(scores)
      return relabelled(weights(scores.soft), scores)
    case .mixed:
      let scores = try required(scores)
      let own = weights(scores.soft)
      var (suggested, second) = suggestions(scores)
      for place in second.indices { second[place] *= (1 - min(1, own[place])) * (1 - min(1, own[place])) }
      return SampleWeights(own, secondLabels: suggested, secondWeights: second)
    case .oracle:
      guard let truth else {
        throw PipelineError(
          .badInput, "The weights \"oracle\" need the true labels", remedy: "Name its column with --truth")
      }
      // Where the truth is not known, the label is taken as it is.
      return SampleWeights(examples.map { truth.isRight[$0] == false ? 0 : 1 })
    case .named(let name):
      if try workspace.attributeNames().contains(name) { return SampleWeights(try column(name)) }
      guard FileManager.default.isReadableFile(atPath: name) else {
        throw PipelineError(
          .badInput,
          "The weights \"\(name)\" are neither a column of the data set nor a file that can be read",
          remedy:
            "Choose none, soft, hard, mixed, oracle, a column, or a table with the columns key and weight")
      }
      return SampleWeights(try table(name))
    }
  }

  private func required(_ scores: SampleScores?) throws -> SampleScores {
    guard let scores else {
      throw PipelineError(.missingInput, "There are no scores", remedy: "Run: cleannet score")
    }
    return scores
  }

  /// Weights of the examples: verified ones weigh 1 or 0, those without a score 0.
  private func weights(_ values: [Float]) -> [Float] {
    examples.map { image in
      if leftOut.contains(image) { return 0 }
      if let isRight = verdicts[image] { return isRight ? 1 : 0 }
      let value = image < values.count ? values[image] : 0
      return value.isNaN ? 0 : max(0, value)
    }
  }

  /// Of each example the suggested class, and 1 where that is another one than its label, else 0.
  private func suggestions(_ scores: SampleScores) -> (labels: [Int], differ: [Float]) {
    var suggested = labels
    for (place, image) in examples.enumerated()
    where image < scores.suggested.count && !leftOut.contains(image) {
      if scores.suggested[image] >= 0 { suggested[place] = scores.suggested[image] }
    }
    return (suggested, zip(suggested, labels).map { $0 == $1 ? 0 : 1 })
  }

  /// Moves images whose label is almost certainly wrong to the class that is suggested for them.
  private func relabelled(_ own: [Float], _ scores: SampleScores) -> SampleWeights {
    guard let relabel else { return SampleWeights(own) }
    let soft = weights(scores.soft)
    var own = own
    var (suggested, second) = suggestions(scores)
    for place in own.indices {
      second[place] = second[place] > 0 && Double(1 - soft[place]) >= relabel ? 1 - soft[place] : 0
      if second[place] > 0 { own[place] = 0 }
    }
    return SampleWeights(own, secondLabels: suggested, secondWeights: second)
  }

  /// Those of a table; samples that it does not name weigh 0.
  private func table(_ path: String) throws -> [Float] {
    let rows = try WeightTable.read(path: path)
    let ids = try workspace.ids(ofKeys: rows.map(\.key))
    var weights: [Int: Float] = [:]
    for (row, id) in zip(rows, ids) {
      guard let id else {
        throw PipelineError(
          .badInput, "\(path), line \(row.line), names \(row.key), which is not in the workspace",
          remedy: "Keys are as `cleannet export` writes them")
      }
      weights[id] = row.weight
    }
    return examples.map { weights[$0] ?? 0 }
  }

  private func column(_ name: String) throws -> [Float] {
    let values = try workspace.attribute(name)
    let keys = try workspace.keys()
    return try examples.map { image in
      guard let text = values[image], let weight = Float(text), weight.isFinite, weight >= 0 else {
        throw PipelineError(
          .badInput,
          "The column \"\(name)\" has \(values[image].map { "\"\($0)\"" } ?? "no value") for \(keys[image])",
          remedy: "Give a weight of at least 0 for every image")
      }
      return weight
    }
  }
}
