import Testing
import Torch

@testable import Classifier

/// Three clusters in five dimensions that overlap a little, the first two classes more common.
private struct Clusters {
  let features: DenseFeatures
  let labels: [Int]

  init(_ count: Int, seed: UInt64) {
    let generator = Generator(seed: seed)
    labels = generator.integers(below: 3, count: count).ints()
    let centers = generator.normal([3, 5], standardDeviation: 2)
    features = DenseFeatures(
      (centers.indexSelect(Tensor(labels)) + generator.normal([count, 5]))
        * Tensor([1, 2, 4, 8, 16] as [Float]))
  }

  /// Labels of which about a third are another class.
  func noisy(seed: UInt64) -> [Int] {
    var random = SplitMix64(seed: seed)
    return labels.map { Double.random(in: 0..<1, using: &random) < 0.35 ? ($0 + 1) % 3 : $0 }
  }

  func accuracy(_ head: Head) -> Double {
    ClassificationMetrics(logits: head.logits(features.values), labels: labels).top1
  }
}

/// The weighted loss of a head on features divided by their deviation, and its penalty, in float64.
private func objective(
  _ weight: Tensor, _ bias: Tensor, _ features: Tensor, labels: [Int], weights: SampleWeights, penalty: Double
) -> Tensor {
  let logs = features.linear(weight, bias: bias).logSoftmax(dim: 1)
  func part(_ labels: [Int], _ weights: [Float]) -> Tensor {
    (logs.gather(dim: 1, Tensor(labels).unsqueezed(dim: 1)).squeezed(dim: 1)
      * Tensor(weights.map(Double.init))).sum()
  }
  var sum = part(labels, weights.weights)
  if !weights.secondLabels.isEmpty { sum = sum + part(weights.secondLabels, weights.secondWeights) }
  let mass = (0..<weights.count).reduce(0.0) { $0 + Double(weights.total($1)) }
  return -sum / mass + weight.squared().sum() * (penalty / 2)
}

@Suite struct HeadTests {
  private let data = Clusters(400, seed: 1)

  private func train(_ weights: [SampleWeights], labels: [Int], penalty: Double? = 0.01) -> [Head] {
    HeadFit(penalty: penalty.map { .fixed($0) } ?? .own).train(
      data.features, examples: Array(labels.indices), labels: labels, classes: 3, weights: weights
    ).map(\.head)
  }

  @Test func isTheMinimumOfTheWeightedLoss() throws {
    var random = SplitMix64(seed: 3)
    let labels = data.noisy(seed: 4)
    let count = labels.count
    let weights = SampleWeights(
      (0..<count).map { _ in Float.random(in: 0...1, using: &random) },
      secondLabels: labels.map { ($0 + 2) % 3 },
      secondWeights: (0..<count).map { _ in Float.random(in: 0...0.3, using: &random) })
    let head = try #require(train([weights], labels: labels).first)
    let features = data.features.values.to(.float64)
    let mean = features.mean(dim: 0)
    let deviation = (features - mean).squared().mean(dim: 0).squareRoot()
    let weight = (head.weight.to(.float64) * deviation).detached()
    let bias = head.bias.to(.float64)
    weight.requiresGradient = true
    bias.requiresGradient = true
    objective(weight, bias, features / deviation, labels: labels, weights: weights, penalty: 0.01).backward()
    #expect(try #require(weight.gradient).absolute().reshaped([-1]).amax(dim: 0).item < 3e-4)
    #expect(try #require(bias.gradient).absolute().amax(dim: 0).item < 3e-4)
    weight.requiresGradient = false
    bias.requiresGradient = false
  }

  @Test func aWeightOfZeroIsTheSameAsAnotherLabel() {
    // The label of an example of weight 0 cannot matter; only its feature's scale does.
    var labels = data.labels
    var weights = SampleWeights.equal(labels.count)
    for place in stride(from: 0, to: labels.count, by: 3) { weights.weights[place] = 0 }
    let before = train([weights], labels: labels)[0]
    for place in stride(from: 0, to: labels.count, by: 3) { labels[place] = (labels[place] + 1) % 3 }
    let after = train([weights], labels: labels)[0]
    #expect(before.weight.floats() == after.weight.floats())
    #expect(before.bias.floats() == after.bias.floats())
  }

  @Test func aWeightIsANumberOfRepetitions() {
    let repeated = data.labels.indices.flatMap { Array(repeating: $0, count: $0 % 3) }
    // Means and deviations of repeated features differ, so the features are given as all alike in scale.
    let moments = Moments({ $0(0..<400, data.features.values) }, dimension: 5)
    let weighted = LogisticRegression(tolerance: 1e-6).fit(
      { $0(0..<400, data.features.values) }, moments: moments, labels: data.labels, classes: 3,
      tasks: [LogisticRegression.Task(weights: data.labels.indices.map { Float($0 % 3) }, c: 0.01)])
    let plain = LogisticRegression(tolerance: 1e-6).fit(
      { $0(0..<repeated.count, data.features.rows(repeated)) }, moments: moments,
      labels: repeated.map { data.labels[$0] }, classes: 3,
      tasks: [LogisticRegression.Task(subset: repeated.map { _ in true }, c: 0.01)])
    for (a, b) in zip(weighted.weights.floats(), plain.weights.floats()) { #expect(abs(a - b) < 1e-4) }
  }

  @Test func tasksTrainedTogetherComeOutAsAlone() {
    let labels = data.noisy(seed: 5)
    let ways = [
      SampleWeights.equal(400), SampleWeights(zip(labels, data.labels).map { $0 == $1 ? 1 : 0 }),
      SampleWeights(
        labels.map { _ in 0.5 }, secondLabels: data.labels, secondWeights: data.labels.map { _ in 0.5 }),
    ]
    let together = train(ways, labels: labels)
    for (head, weights) in zip(together, ways) {
      let alone = train([weights], labels: labels)[0]
      for (a, b) in zip(head.weight.floats(), alone.weight.floats()) { #expect(abs(a - b) < 2e-3) }
    }
  }

  @Test func weightsThatTellTheTruthBeatNone() {
    let labels = data.noisy(seed: 6)
    let heads = train(
      [.equal(400), SampleWeights(zip(labels, data.labels).map { $0 == $1 ? 1 : 0 })], labels: labels,
      penalty: nil)
    #expect(data.accuracy(heads[1]) > 0.9)
    #expect(data.accuracy(heads[1]) >= data.accuracy(heads[0]))
  }

  @Test func classBalancedWeightsGiveEveryClassTheSameMass() {
    let weights = SampleWeights(
      [1, 1, 1, 0.5, 2], secondLabels: [1, 1, 1, 1, 1], secondWeights: [0, 0, 0, 0.5, 0])
    let labels = [0, 0, 0, 1, 2]
    #expect(weights.masses(labels: labels, classes: 4) == [3, 1, 2, 0])
    let balanced = weights.classBalanced(labels: labels, classes: 4)
    let masses = balanced.masses(labels: labels, classes: 4)
    for mass in masses[0..<3] { #expect(abs(mass - 2) < 1e-6) }
    #expect(masses[3] == 0)
  }
}

@Suite struct ClassificationMetricsTests {
  @Test func countsByHand() {
    let logits = Tensor(
      [9, 8, 7, 6, 5, 4, 3, 9, 8, 7, 6, 5, 4, 3, 9, 8, 7, 6, 5, 4, 3, 3, 4, 5, 6, 7, 8, 9] as [Float],
      shape: [4, 7])
    let metrics = ClassificationMetrics(logits: logits, labels: [0, 4, 5, 6])
    #expect(metrics.images == 4)
    #expect(metrics.top1 == 0.5)
    #expect(metrics.top5 == 0.75)
    #expect(metrics.classMean == 0.5)
    #expect(metrics.recall(0) == 1 && metrics.recall(4) == 0 && metrics.recall(1) == nil)
    #expect(metrics.precision(0) == 1.0 / 3 && metrics.precision(6) == 1)
    #expect(metrics.confusion[4][0] == 1)
  }
}
