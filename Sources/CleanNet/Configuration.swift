import Torch

/// The objective that the networks are trained with.
public enum Objective: String, Sendable, Hashable, Codable, CaseIterable {
  /// The paper's: verified images, reconstruction and pseudo verification.
  case paper
  /// The paper's, with negatives from all classes and a noise-robust pull to the own class.
  case extended
}

/// The sizes of the network. Defaults: the paper, section 4.1.
public struct Architecture: Sendable, Hashable, Codable {
  /// D, the features' dimension.
  public var dimension: Int
  /// Hidden units of the query encoder (and, mirrored, of its decoder).
  public var queryHidden = 256
  /// Hidden units of the reference encoder, per reference.
  public var referenceHidden = 512
  /// Width of the encoded references, over which attention sums.
  public var attention = 256
  /// Width of φ_q and φ_s.
  public var embedding = 128
  /// Dropout between the reference encoder's layers, in training.
  public var dropout = 0.3
  /// Whether the decoder's last layer has the tanh of the others; if not, it is linear.
  public var decoderTanh = false

  public init(dimension: Int) { self.dimension = dimension }
}

/// How much each term of the loss counts. Names and defaults: method.md and the paper, section 3.3.
public struct LossWeights: Sendable, Hashable, Codable {
  /// ρ: from this cosine on, an image counts as a member of the class.
  public var margin = 0.1
  /// ω, on images verified as wrong.
  public var wrong = 5.0
  /// β, on reconstruction.
  public var reconstruction = 0.1
  /// γ, on unverified images with pseudo verification.
  public var pseudo = 0.1
  /// λ_neg, on the other classes as negatives.
  public var negatives = 0.0
  /// λ_pos, on the generalised cross entropy of unverified images.
  public var positives = 0.0
  /// q of the generalised cross entropy (Zhang & Sabuncu 2018): 0 is cross entropy, 1 the mean absolute error.
  public var robustness = 0.7
  /// Divides cosines before the softmax over classes.
  public var temperature = 0.1

  public init() {}
}

/// How the network is trained.
public struct OptimizationSettings: Sendable, Hashable, Codable {
  public enum Method: String, Sendable, Hashable, Codable { case sgd, adamW }

  public var method = Method.sgd
  public var steps = 60_000
  public var learningRate = 0.01
  public var schedule = LearningRateSchedule.step(every: 30_000, factor: 0.1)
  public var weightDecay = 1e-4
  /// Verified images in a batch.
  public var verifiedBatch = 32
  /// Unverified images in a batch, drawn class-uniformly.
  public var unverifiedBatch = 32
  /// Classes that an image is compared with; beyond them, those of the batch and random others.
  public var classesAtHand = 64
  /// Steps between two validations.
  public var validationInterval = 250
  /// Training stops after this many validations without improvement; 0: never.
  public var patience = 0
  /// The share of the verified images that is held out to choose the checkpoint and the threshold.
  public var validationShare = 0.25
  /// Whether the layers as wide as the features compute in bfloat16. Where the processor has no instructions for it, they
  /// must not: it would be emulated.
  public var bfloat16 = Processor.hasBFloat16

  public init() {}
}

/// All settings that determine a model, except for the data.
public struct Configuration: Sendable, Hashable, Codable {
  public var objective: Objective
  public var architecture: Architecture
  public var losses = LossWeights()
  public var training = OptimizationSettings()
  public var kMeans = KMeans(clusters: 32)
  public var normalization = FeatureNormalization.logPlusOne
  /// The most principal components that stand for the features; nil: the features as they are.
  public var components: Int?
  /// Networks, each trained without a share of the images, which it then judges; 1: one network trained on all.
  public var folds = 1
  /// The share of the true nearest neighbors that a search should find in large sets; nil: the default of
  /// `NeighborSearch`.
  public var recall: Double?
  public var seed: UInt64 = 0
  /// The evidence that the extended objective uses.
  public var evidence = EvidenceParts.all
  /// The files that probabilities of other models were read from, with digests of their content; nil if there were none.
  public var given: [GivenFile]?

  public struct GivenFile: Sendable, Hashable, Codable {
    public var path: String
    public var digest: String

    public init(path: String, digest: String) {
      self.path = path
      self.digest = digest
    }
  }

  /// The paper's settings, K and ω as its authors' release has them.
  public static func paper(dimension: Int) -> Configuration {
    var configuration = Configuration(objective: .paper, architecture: Architecture(dimension: dimension))
    configuration.architecture.dropout = 0.5
    configuration.architecture.decoderTanh = true
    configuration.training.validationInterval = 500
    configuration.training.patience = 12
    return configuration
  }

  /// The settings that this project adds; docs/experiments.md has their effects.
  public static func extended(dimension: Int) -> Configuration {
    var configuration = Configuration(
      objective: .extended,
      architecture: Architecture(dimension: min(dimension, PrincipalComponents.maximumDimension)))
    configuration.components = PrincipalComponents.maximumDimension
    configuration.folds = 2
    // References of a class lie no better for more.
    configuration.kMeans.maximumVectors = 1024
    configuration.losses.negatives = 1
    configuration.losses.positives = 2
    configuration.losses.reconstruction = 1e-3
    configuration.training.method = .adamW
    configuration.training.steps = 500
    configuration.training.learningRate = 1e-3
    configuration.training.schedule = .cosine(total: 500, warmup: 0)
    configuration.training.validationInterval = 100
    return configuration
  }

  /// The extended objective with the normalization that suits the features: `log(v + 1)` where none is negative, else l2.
  public static func extended(suitedTo features: some FeatureSource) -> Configuration {
    var configuration = extended(dimension: features.dimension)
    configuration.normalization = .suited(to: features)
    return configuration
  }

  public static func of(_ objective: Objective, dimension: Int) -> Configuration {
    switch objective {
    case .paper: paper(dimension: dimension)
    case .extended: extended(dimension: dimension)
    }
  }

  /// The same for a network whose features, of that dimension, are normalized already.
  func network(dimension: Int) -> Configuration {
    var configuration = self
    configuration.architecture.dimension = dimension
    configuration.normalization = .none
    return configuration
  }

  /// Changes the number of steps, and with it a schedule that depends on it.
  public mutating func setSteps(_ steps: Int) {
    training.steps = steps
    if case .cosine(_, let warmup) = training.schedule {
      training.schedule = .cosine(total: steps, warmup: warmup)
    }
  }
}
