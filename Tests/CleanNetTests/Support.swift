import Foundation
import Testing
import Torch

@testable import CleanNet

func expectClose(
  _ tensor: Tensor, _ expected: [Double], tolerance: Double = 1e-5,
  at location: SourceLocation = #_sourceLocation
) {
  let values = tensor.doubles()
  #expect(
    values.count == expected.count && zip(values, expected).allSatisfy { abs($0 - $1) <= tolerance },
    "\(values) is not \(expected)", sourceLocation: location)
}

func pow(_ base: Double, _ exponent: Double) -> Double { Foundation.pow(base, exponent) }
func log(_ value: Double) -> Double { Foundation.log(value) }

extension ClassVotes {
  /// All states of each image: `[N, E]`.
  init(_ softLabels: Tensor) {
    let values = softLabels.floats()
    let states = softLabels.size(1)
    var builder = Builder()
    for row in 0..<softLabels.size(0) {
      for state in 0..<states { builder.append(state, values[row * states + state]) }
      builder.endImage()
    }
    self.init(builder, states: states, average: softLabels.mean(dim: 0).floats())
  }
}

extension Candidates {
  /// Of all images, from log-probabilities `[N, E]` of each source.
  init(
    _ sources: [Tensor], _ labels: SoftLabels, exponents: [Double]? = nil, limit: CandidateLimit = .usual
  ) {
    let rows = labels.labels.indices.sorted { (labels.labels[$0], $0) < (labels.labels[$1], $1) }
    self.init(rows, labels, exponents: exponents ?? sources.map { _ in 1 }, limit: limit) { rows in
      sources.map { $0.indexSelect(Tensor(rows)) }
    }
  }
}

extension Architecture {
  static func small(dimension: Int) -> Architecture {
    var architecture = Architecture(dimension: dimension)
    architecture.queryHidden = 12
    architecture.referenceHidden = 16
    architecture.attention = 10
    architecture.embedding = 8
    return architecture
  }
}

/// Images of classes that are well separated, or overlap with a larger `deviation`; a share carries the label of another class.
struct NoisyClusters {
  let features: DenseFeatures
  let labels: [Int]
  let truth: [Int]
  let classes: Int

  init(
    classes: Int = 6, perClass: Int = 60, dimension: Int = 24, noise: Double = 0.3, deviation: Double = 0.5,
    seed: UInt64 = 0
  ) {
    let generator = Generator(seed: seed)
    let count = classes * perClass
    let centres = generator.uniform([classes, dimension], low: 0, high: 4)
    truth = (0..<count).map { $0 % classes }
    let spread = generator.normal([count, dimension], standardDeviation: deviation)
    features = DenseFeatures((centres.indexSelect(Tensor(truth)) + spread).clamped(min: 0))
    var random = SplitMix64(seed: seed &+ 1)
    labels = truth.map { label in
      guard Double.random(in: 0..<1, using: &random) < noise else { return label }
      return (label + Int.random(in: 1..<classes, using: &random)) % classes
    }
    self.classes = classes
  }

  func verified(classes verifiedClasses: Set<Int>, perClass: Int) -> [VerificationLabel] {
    var seen: [Int: Int] = [:]
    return labels.indices.compactMap { image in
      guard verifiedClasses.contains(labels[image]), seen[labels[image], default: 0] < perClass else {
        return nil
      }
      seen[labels[image], default: 0] += 1
      return VerificationLabel(image: image, isRight: labels[image] == truth[image])
    }
  }

  func trainingSet(verifiedClasses: Set<Int> = [0, 2], perClass: Int = 30) -> TrainingSet {
    TrainingSet(
      sound: features, labels: labels, classes: classes,
      verifications: verified(classes: verifiedClasses, perClass: perClass))
  }

  /// A configuration that such data need few steps with.
  func configuration(_ objective: Objective, steps: Int = 200) -> Configuration {
    var configuration = Configuration.of(objective, dimension: features.dimension)
    let dropout = configuration.architecture.dropout
    configuration.architecture = .small(dimension: features.dimension)
    configuration.architecture.dropout = dropout
    configuration.kMeans = KMeans(clusters: 4, restarts: 2)
    configuration.training.steps = steps
    configuration.training.learningRate = 3e-3
    configuration.training.schedule = .cosine(total: steps, warmup: 0)
    configuration.training.validationInterval = 50
    configuration.training.method = .adamW
    return configuration
  }

  func references(_ configuration: Configuration) -> ReferenceSets {
    ReferenceSets.clustering(
      features, members: trainingSet().members, normalization: configuration.normalization,
      kMeans: configuration.kMeans, seed: configuration.seed)
  }
}

/// The area under the ROC curve of scores of right and of wrong labels.
func rankingProbability(right: [Double], wrong: [Double]) -> Double {
  Ranking(
    scores: right + wrong,
    isRight: Array(repeating: true, count: right.count) + Array(repeating: false, count: wrong.count)
  ).auroc ?? .nan
}
