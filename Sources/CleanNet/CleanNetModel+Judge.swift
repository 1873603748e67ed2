import Foundation
import Torch

extension CleanNetModel {
  /// Judges the label of every image of `data`.
  ///
  /// With the paper's objective by the cosine alone: `cos ≥ τ`. With the extended one by all evidence: the network's
  /// softmax over classes, a discriminant and the nearest neighbours, brought together by a noise model in which
  /// verified images count by their verdicts; then the threshold of the probability is ½ for every class. The softmax
  /// of an image comes from the network that was not trained on it.
  ///
  /// - Parameters:
  ///   - space: Of the same features and images, if it is there already.
  ///   - recall: The share of the true nearest neighbours that is to be found, if there is no space; nil: that of training.
  ///   - store: Where neighbours may be kept already, if there is no space.
  ///   - progress: Called from any thread with the number of images done.
  public func judge(
    _ data: TrainingSet, space: FeatureSpace? = nil, recall: Double? = nil, store: NeighborStore? = nil,
    threads: Int, progress: (@Sendable (Int) -> Void)? = nil
  ) -> Judgements {
    precondition(data.classes == references.classes, "the model is of other classes")
    guard let components else { return judgeByCosine(data, progress: progress) }
    let count = data.labels.count
    let space =
      space
      ?? FeatureSpace(
        data, images: data.labels.indices.filter { data.labels[$0] >= 0 }, components: components,
        seed: configuration.seed, recall: recall ?? configuration.recall, store: store, threads: threads,
        progress: { progress?(Int($0 * Double(count))) })
    defer { progress?(count) }
    return judge(data, by: Evidence(data, in: space))
  }

  private func judgeByCosine(_ data: TrainingSet, progress: (@Sendable (Int) -> Void)?) -> Judgements {
    let scores = scorers[0].score(data.features, labels: data.labels, progress: progress)
    let decision = decision ?? .fitted([], natural: configuration.losses.margin, slope: 10)
    var judgements = Judgements(scores)
    for image in data.labels.indices where !scores.cosine[image].isNaN {
      judgements.probability[image] = Float(decision.probability(Double(scores.cosine[image])))
      judgements.threshold[image] = Float(decision.threshold)
      // w_soft = max(0, cos): CleanNet, section 3.4.
      judgements.softWeight[image] = max(0, scores.cosine[image])
    }
    return judgements
  }

  private func judge(_ data: TrainingSet, by evidence: Evidence) -> Judgements {
    let (cosines, disagreement) = outOfFoldCosines(evidence)
    let outcome = evidence.judge(cosines: cosines, temperature: configuration.losses.temperature)
    let logOdds = outcome.logOdds.floats()
    let suggested = outcome.beliefs.narrow(dim: 1, start: 0, count: data.classes).argmax(dim: 1).ints()
    let values = cosines.floats()
    var judgements = Judgements(count: data.labels.count, basis: .probability)
    judgements.neighbors = evidence.space.neighborQuality
    for (row, image) in evidence.space.images.enumerated() {
      let place = row * data.classes
      judgements.cosine[image] = values[place + data.labels[image]]
      judgements.threshold[image] = 0.5
      let probability = Float(1 / (1 + exp(-Double(logOdds[row]))))
      judgements.probability[image] = probability
      judgements.softWeight[image] = probability
      judgements.suggestedClass[image] = suggested[row]
      judgements.suggestedCosine[image] = values[place + suggested[row]]
      judgements.disagreement[image] = disagreement[row]
    }
    return judgements
  }

  /// Cosines of each image with all classes by its fold's network, `[N, C]`, and how far all networks disagree on it.
  private func outOfFoldCosines(_ evidence: Evidence) -> (cosines: Tensor, disagreement: [Float]) {
    let count = evidence.closed.count
    let cosines = Tensor.empty([count, references.classes])
    var disagreement: [Float] = []
    let folds = evidence.foldOfRows(networks.count)
    let scorers = scorers
    for start in stride(from: 0, to: count, by: 4096) {
      let piece = start..<min(start + 4096, count)
      let features = evidence.space.features.rows(piece)
      let said = scorers.map { $0.cosines(features) }
      for (fold, own) in said.enumerated() {
        let rows = piece.filter { folds[$0] == fold }
        guard !rows.isEmpty else { continue }
        cosines.indexCopyInPlace(
          dim: 0, index: Tensor(rows), own.indexSelect(Tensor(rows.map { $0 - start })))
      }
      disagreement += disagreements(said)
    }
    return (cosines, disagreement)
  }

  /// - Parameter cosines: By network, of the same images: `[B, C]` each.
  private func disagreements(_ cosines: [Tensor]) -> [Float] {
    withoutGradients {
      let beliefs = cosines.map { ($0 / configuration.losses.temperature).logSoftmax(dim: 1).exp() }
      var sum = Tensor.full([cosines[0].size(0)], beliefs.count > 1 ? 0 : Double.nan)
      for (number, one) in beliefs.enumerated() {
        for other in beliefs[(number + 1)...] { sum = sum + (one - other).absolute().sum(dim: 1) / 2 }
      }
      return (sum / Double(max(1, beliefs.count * (beliefs.count - 1) / 2))).floats()
    }
  }
}
