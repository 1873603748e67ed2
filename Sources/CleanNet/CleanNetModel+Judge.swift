import Foundation
import Torch

extension CleanNetModel {
  /// Judges the label of every image of `data`.
  ///
  /// With the paper's objective by the cosine alone: `cos ≥ τ`. With the extended one by all ``LabelEvidence``, weighed by
  /// the verification labels of `data`: see ``VerdictModel``. The threshold of the probability is ½ for every class.
  ///
  /// - Parameters:
  ///   - space: The space of the same features and images, if it was computed before.
  ///   - recall: The share of the true nearest neighbors to find, if there is no space; nil: that of training.
  ///   - store: May hold the neighbors of an earlier search, if there is no space.
  ///   - progress: Called from any thread with the number of images done.
  public func judge(
    _ data: TrainingSet, space: FeatureSpace? = nil, recall: Double? = nil, store: NeighborStore? = nil,
    device: Device = .cpu, threads: Int, progress: (@Sendable (Int) -> Void)? = nil
  ) -> Judgements {
    guard
      let evidence = evidence(
        data, space: space, recall: recall, store: store, device: device, threads: threads, progress: progress
      )
    else { return judgeByCosine(data, progress: progress) }
    return Judgements(evidence, verifications: data.verifications, count: data.labels.count)
  }

  /// The evidence of features, labels and networks on each label; nil with the paper's objective, which knows no evidence.
  ///
  /// It does not depend on verification labels, so that it can be kept when people verify more.
  public func evidence(
    _ data: TrainingSet, space: FeatureSpace? = nil, recall: Double? = nil, store: NeighborStore? = nil,
    device: Device = .cpu, threads: Int, progress: (@Sendable (Int) -> Void)? = nil
  ) -> LabelEvidence? {
    precondition(data.classes == references.classes, "the model has other classes")
    guard let components else { return nil }
    let count = data.labels.count
    let space =
      space
      ?? FeatureSpace(
        data, images: FeatureSpace.images(of: data), components: components,
        seed: configuration.seed, recall: recall ?? configuration.recall, store: store, device: device,
        threads: threads, progress: { progress?(Int($0 * Double(count))) })
    defer { progress?(count) }
    let finder = EvidenceFinder(data, in: space, parts: configuration.evidence)
    return evidence(finder, finder.basis())
  }

  func evidence(_ finder: EvidenceFinder, _ basis: EvidenceFinder.Basis) -> LabelEvidence {
    explained(finder, basis).evidence
  }

  func explained(
    _ finder: EvidenceFinder, _ basis: EvidenceFinder.Basis
  ) -> (evidence: LabelEvidence, explanation: EvidenceFinder.Explanation) {
    guard finder.parts.contains(.networks) else { return finder.explained(basis) }
    return finder.explained(basis, voice(finder.space))
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

  /// The opinion of each image's own fold's network, and how far all networks disagree.
  private func voice(_ space: FeatureSpace) -> EvidenceFinder.NetworkVoice {
    let folds = space.foldOfRows(networks.count)
    let scorers = scorers
    let classes = references.classes
    let ranges = Candidates.ranges(space.images.count, states: classes)
    let disagreement = concurrentMap(over: ranges.count, threads: Candidates.threads, engineThreads: 1) {
      number in
      withoutGradients {
        let features = space.features.rows(ranges[number])
        return disagreements(scorers.map { $0.cosines(features) })
      }
    }
    return EvidenceFinder.NetworkVoice(
      cosines: { rows in
        withoutGradients {
          let features = space.features.rows(rows)
          let cosines = Tensor.empty([rows.count, classes])
          for (fold, scorer) in scorers.enumerated() {
            let own = rows.indices.filter { folds[rows[$0]] == fold }
            guard !own.isEmpty else { continue }
            let places = Tensor(own)
            cosines.indexCopyInPlace(dim: 0, index: places, scorer.cosines(features.indexSelect(places)))
          }
          return cosines
        }
      }, disagreement: disagreement.flatMap(\.self), temperature: configuration.losses.temperature)
  }

  /// - Parameter cosines: By network, of the same images: `[B, C]` each.
  func disagreements(_ cosines: [Tensor]) -> [Float] {
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

extension Judgements {
  /// Combines evidence and verdicts.
  ///
  /// - Parameters:
  ///   - verifications: Verdicts on images of the evidence; others are ignored.
  ///   - count: The number of images of the data set. Those without evidence have no judgement.
  public init(
    _ evidence: LabelEvidence, verifications: [VerificationLabel], count: Int, usesVerdicts: Bool = true
  ) {
    self.init(count: count, basis: .probability)
    let judged = VerdictModel.judge(
      evidence, verdicts: usesVerdicts ? evidence.verdicts(verifications) : [])
    weights = judged.model.weights(evidence)
    neighbors = evidence.neighbors
    for (row, image) in evidence.images.enumerated() {
      fill(image, probability: judged.probabilities[row], of: evidence, row)
    }
  }

  /// The evidence on one image.
  ///
  /// - Parameters:
  ///   - probability: That its label is right.
  ///   - row: Its row of the evidence.
  mutating func fill(
    _ image: Int, probability: Float, of evidence: LabelEvidence, _ row: Int, isLabelled: Bool = true
  ) {
    suggestedClass[image] = evidence.suggested[row]
    suggestedCosine[image] = evidence.networks?.suggestedCosine[row] ?? .nan
    disagreement[image] = evidence.networks?.disagreement[row] ?? .nan
    guard isLabelled else { return }
    threshold[image] = 0.5
    self.probability[image] = probability
    softWeight[image] = probability
    cosine[image] = evidence.networks?.cosine[row] ?? .nan
  }
}
