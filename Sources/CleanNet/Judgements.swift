import Torch

/// The judgements of images and their labels: a collection of ``Judgement``, and the same by columns, one element per
/// image. NaN and class −1 stand for images without features or without a label.
public struct Judgements: Sendable {
  /// The quantity that a threshold is compared with.
  public enum Basis: String, Sendable, Hashable, Codable {
    /// The paper's.
    case cosine
    /// The extended objective's.
    case probability
  }

  public let basis: Basis
  /// cos(φ_q, φ_s) with the label's class.
  public var cosine: [Float]
  /// The probability that the label is right.
  public var probability: [Float]
  /// τ, on the scale of `basis`: below it a label is taken to be wrong.
  public var threshold: [Float]
  /// w_soft, the image's weight in a classifier's loss: `max(0, cos)` (`paper`), or the probability (`extended`).
  public var softWeight: [Float]
  /// The class that fits the image best.
  public var suggestedClass: [Int]
  /// cos(φ_q, φ_s) with that class.
  public var suggestedCosine: [Float]
  /// How far the networks disagree on the image's class: the total variation distance of their softmaxes, averaged over
  /// pairs of networks, from 0 to 1. NaN if there is one network only.
  public var disagreement: [Float]
  /// How neighbors were searched; nil if none were searched.
  public var neighbors: NeighborQuality?
  /// For new images: the most similar training images, nearest first; empty for images of the training set.
  public internal(set) var nearest: [[LabelJudge.Neighbor]] = []

  /// How far each reading of the evidence is believed; empty with the paper's objective.
  public internal(set) var weights: [LabelEvidence.World: Double] = [:]

  init(count: Int, basis: Basis) {
    self.basis = basis
    cosine = Array(repeating: .nan, count: count)
    probability = cosine
    threshold = cosine
    softWeight = cosine
    suggestedCosine = cosine
    disagreement = cosine
    suggestedClass = Array(repeating: -1, count: count)
  }

  init(_ scores: CosineScores) {
    self.init(count: scores.cosine.count, basis: .cosine)
    cosine = scores.cosine
    suggestedClass = scores.nearestClass
    suggestedCosine = scores.nearestCosine
  }

  /// Whether the label is taken to be right: not below τ.
  public func isRight(_ image: Int) -> Bool? {
    let value = basis == .cosine ? cosine[image] : probability[image]
    return value.isNaN ? nil : value >= threshold[image]
  }

  /// w_hard, the image's weight in a classifier's loss: 1 where the label is taken to be right, else 0 (CleanNet,
  /// section 3.4).
  public func hardWeight(_ image: Int) -> Float { isRight(image).map { $0 ? 1 : 0 } ?? .nan }
}
