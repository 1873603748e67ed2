import Foundation
import Torch

/// The evidence of features and noisy labels on each label, before anybody has looked at an image.
///
/// Each `Candidate` is one reading of the evidence: which sources it believes, how sharp their posteriors are, and how
/// labels go wrong. It gives every image log-odds that its label is right. Verdicts play no part here. A
/// ``VerdictModel`` weighs the candidates by them in milliseconds, so that each new verdict counts at once. No verdict
/// reaches the score of its own image but through a handful of numbers that all images share.
public struct LabelEvidence: Sendable {
  /// How a candidate explains the labels.
  public enum World: String, Sendable, Hashable, Codable, CaseIterable {
    /// Every image belongs to one of the classes; the sources were refined by beliefs about the true classes.
    case closed
    /// Some images belong to none of the classes (a crawler's strays).
    case open
    /// As `closed`, with labels that go wrong at one rate in all classes, to other labels as these are frequent.
    case even
    /// The sources as the noisy labels alone make them: where features are weak, beliefs would repeat their own mistakes.
    case plain
    /// As `plain`, with labels that go wrong at one rate.
    case plainEven

    /// The world with the same sources.
    var family: World {
      switch self {
      case .closed, .even: .closed
      case .open: .open
      case .plain, .plainEven: .plain
      }
    }
  }

  /// One reading of the evidence.
  package struct Candidate: Sendable, Hashable, Codable {
    package var world: World
    /// A factor on the exponents of the sources. Sources agree more than independent ones would, which the likelihood of
    /// noisy labels alone mistakes for certainty or its lack, depending on the noise.
    package var sharpness: Double
    /// Added to the log-odds before any verdict: with one rate of wrong labels, the log-odds of that rate.
    package var intercept: Double
    /// The mean log-likelihood of the noisy labels.
    package var logLikelihood: Double
  }

  package static let sharpnesses = [0.5, 0.7, 1, 1.5, 2, 3]
  /// The factor while beliefs are formed. Few wrong labels want 1, many want 2; this is between.
  static let formingSharpness = 1.4
  /// The cosine that stands for "none of the classes": ρ, from which on an image is held to belong to a class.
  static let noneCosine = 0.1
  /// Exponents before any fit: of evidence that needs no network, of the networks' softmax, and of probabilities that were
  /// given, which mean what they say.
  static let exponents = (source: 0.4, network: 0.1, given: 1.0)

  /// The images judged, ascending. Column i of `logOdds` belongs to `images[i]`.
  public let images: [Int]
  /// The noisy label of each of these images.
  public let labels: [Int]
  public let classes: Int
  package let candidates: [Candidate]
  /// That each label is right, by each candidate, without its intercept: `[candidates, N]`, float32.
  package let logOdds: Tensor
  /// The likeliest class of each image.
  public let suggested: [Int]
  /// The opinions of CleanNet's networks on each image; nil without networks.
  package let networks: NetworkOpinions?
  /// How neighbors were searched, and how many of the true ones were found.
  public let neighbors: NeighborQuality?
  /// The direction of each image's features, in which verdicts about similar images are compared: `[N, K]`, float16.
  /// nil where nothing is to be learned from similar images.
  package let coordinates: Tensor?

  /// By networks that were not trained on the image.
  package struct NetworkOpinions: Sendable {
    /// cos(φ_q, φ_s) with the class of the label, and with the suggested class.
    package var cosine: [Float]
    package var suggestedCosine: [Float]
    /// How far the networks disagree: see ``Judgements/disagreement``.
    package var disagreement: [Float]
  }

  init(
    images: [Int], labels: [Int], classes: Int, candidates: [Candidate], logOdds: Tensor, suggested: [Int],
    networks: NetworkOpinions? = nil, neighbors: NeighborQuality? = nil, coordinates: Tensor? = nil
  ) {
    precondition(logOdds.shape == [candidates.count, images.count], "log-odds of other images or candidates")
    self.images = images
    self.labels = labels
    self.classes = classes
    self.candidates = candidates
    self.logOdds = logOdds
    self.suggested = suggested
    self.networks = networks
    self.neighbors = neighbors
    self.coordinates = coordinates
  }

  public var count: Int { images.count }

  /// The most numbers that a direction keeps: the leading principal components. More change nothing visible.
  static let mostCoordinates = 64

  /// - Parameter directions: Centered, the leading components first: `[n, d]`.
  static func coordinates(_ directions: Tensor) -> Tensor {
    withoutGradients {
      directions.narrow(dim: 1, start: 0, count: min(mostCoordinates, directions.size(1))).normalized()
        .to(.float16)
    }
  }

  /// The same of many images.
  static func coordinates(_ directions: any FeatureSource) -> Tensor {
    withoutGradients {
      let all = Tensor.empty(
        [directions.count, min(mostCoordinates, directions.dimension)], dtype: .float16)
      for start in stride(from: 0, to: directions.count, by: PrincipalComponents.chunk) {
        let range = start..<min(start + PrincipalComponents.chunk, directions.count)
        all[range].copyInPlace(coordinates(directions.rows(range)))
      }
      return all
    }
  }
}

/// The parts of the evidence, so that experiments can leave some out.
public struct EvidenceParts: OptionSet, Sendable, Hashable, Codable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let networks = EvidenceParts(rawValue: 1)
  public static let discriminant = EvidenceParts(rawValue: 2)
  public static let neighbors = EvidenceParts(rawValue: 4)
  public static let openWorld = EvidenceParts(rawValue: 8)
  /// Candidates that do not refine the labels.
  public static let plainWorld = EvidenceParts(rawValue: 16)
  /// Verdicts weigh the candidates; without it all count alike.
  public static let verdicts = EvidenceParts(rawValue: 32)
  /// Probabilities of other models; see ``TrainingSet/evidence``.
  public static let given = EvidenceParts(rawValue: 64)

  /// Verdicts teach about similar images; see `LabelEvidence/coordinates`.
  public static let residuals = EvidenceParts(rawValue: 128)

  public static let all: EvidenceParts = [
    .networks, .discriminant, .neighbors, .openWorld, .plainWorld, .verdicts, .given, .residuals,
  ]
}
