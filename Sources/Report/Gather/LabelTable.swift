import Foundation
import Workspace

/// The workspace's samples and scores as columns, one element per sample.
struct LabelTable: Sendable {
  let classNames: [String]
  /// The sample's class; −1 for samples that take no part in training: the split `test`.
  let labels: [Int]
  /// The same with the labels of the split `test`; −1 for samples that are gone from their source.
  let allLabels: [Int]
  let splitNames: [String]
  let splits: [Int32]
  /// That the label is right, what is compared with the threshold, and the threshold; NaN where not judged.
  let probability: [Float]
  let score: [Float]
  let threshold: [Float]
  /// Called wrong, by the model or by the person who looked; nil where not judged.
  let isWrong: [Bool?]
  /// −1 where not judged.
  let suggestions: [Int32]
  let cosine: [Float]
  /// Sample → label is right, for samples that take part.
  let verdicts: [Int: Bool]
  /// Verdicts on images that were drawn at random: they allow conclusions about other images.
  let randomVerdicts: [Int: Bool]
  let unsure: Int
  let unsureDrawn: Int
  let basis: Basis
  /// The scores' run.
  let scoreKey: String?

  enum Basis: String, Sendable { case probability, cosine }

  var count: Int { labels.count }

  /// Samples that are there, ascending. Samples that are gone from their source have no label.
  var present: [Int] { allLabels.indices.filter { allLabels[$0] >= 0 } }

  /// Samples with a score, ascending.
  var judged: [Int] { labels.indices.filter { isWrong[$0] != nil } }

  /// The samples of each class, those of the split `test` left out.
  var members: [[Int]] {
    var members = Array(repeating: [Int](), count: classNames.count)
    for (sample, label) in labels.enumerated() where label >= 0 { members[label].append(sample) }
    return members
  }

  /// Whether the model alone would keep the label: verified images as if nobody had looked.
  func isKept(_ sample: Int) -> Bool { score[sample] >= threshold[sample] }

  /// The threshold in use; where there are several, the median.
  var usualThreshold: Double? {
    let known = threshold.filter(\.isFinite).sorted()
    return known.isEmpty ? nil : Double(known[known.count / 2])
  }

  func split(_ sample: Int) -> String { splitNames[Int(splits[sample])] }
}

extension LabelTable {
  init(_ workspace: Workspace) throws {
    classNames = try workspace.classNames()
    labels = try workspace.labels { $0 != "test" }.map(Int.init)
    allLabels = try workspace.labels().map(Int.init)
    splitNames = try workspace.splitNames()
    splits = try workspace.splits()
    let count = labels.count
    let known = labels
    let images = try workspace.verifiedImages().images.filter { known[$0.sample] >= 0 }
    func answers(where isMeant: (VerifiedImages.Image) -> Bool) -> [Int: Bool] {
      Dictionary(
        uniqueKeysWithValues: images.filter(isMeant).compactMap { image in
          image.answer.isRight.map { (image.sample, $0) }
        })
    }
    let all = answers { _ in true }
    verdicts = all
    randomVerdicts = answers(where: \.isDrawn)
    unsure = images.count { $0.answer == .unsure }
    unsureDrawn = images.count { $0.answer == .unsure && $0.isDrawn }

    let run = try workspace.finishedRun(stage: "score")
    let table = try run.flatMap { try workspace.scores(key: $0.key) }
    scoreKey = table == nil ? nil : run?.key
    basis = try Self.basis(workspace)
    var probability = [Float](repeating: .nan, count: count)
    var threshold = probability
    var cosine = probability
    var suggestions = [Int32](repeating: -1, count: count)
    var isWrong = [Bool?](repeating: nil, count: count)
    // Samples may have been imported after scoring.
    for sample in 0..<min(count, table?.count ?? 0) where labels[sample] >= 0 {
      guard let row = table?[sample], row.probability.isFinite else { continue }
      probability[sample] = row.probability
      threshold[sample] = row.threshold
      cosine[sample] = row.cosine
      suggestions[sample] = row.suggestedLabel
      isWrong[sample] = !(all[sample] ?? (row.verdict != .wrong))
    }
    self.probability = probability
    self.threshold = threshold
    self.cosine = cosine
    self.suggestions = suggestions
    self.isWrong = isWrong
    score = basis == .cosine ? cosine : probability
  }

  /// The paper's objective decides by the cosine.
  private static func basis(_ workspace: Workspace) throws -> Basis {
    struct Objective: Decodable { var objective: String }
    let metrics = try workspace.finishedRun(stage: "train")?.metrics
    let found = metrics.flatMap { try? JSONDecoder().decode(Objective.self, from: Data($0.utf8)) }
    return found?.objective == "paper" ? .cosine : .probability
  }
}
