import Testing
import Torch

@testable import Detectors

@Suite struct DetectorParityTests {
  let parity: Parity

  init() throws { parity = try Parity.load() }

  private var given: ClassProbabilities {
    ClassProbabilities(
      labels: parity.labels, classes: parity.classes, values: parity.confident.probabilities.map(Float.init))
  }

  @Test func logisticRegressionIsScikitLearns() {
    let rows = parity.matrix
    let count = parity.labels.count
    // In two pieces, beside a model with another C and subset, to see that they do not mix.
    let pieces: LogisticRegression.Pieces = { body in
      body(0..<64, rows[0..<64])
      body(64..<count, rows[64..<count])
    }
    let tasks = [
      LogisticRegression.Task(subset: Array(repeating: true, count: count), c: parity.logistic.c),
      LogisticRegression.Task(subset: (0..<count).map { $0 % 2 == 0 }, c: 3),
    ]
    let models = LogisticRegression(tolerance: 1e-7, maximumIterations: 200).fit(
      pieces, moments: Moments(pieces, dimension: parity.dimension), labels: parity.labels,
      classes: parity.classes, tasks: tasks)
    #expect(distance(models.weights[0].floats(), parity.logistic.weights) < 1e-3)
    // A shift of all biases changes nothing; scikit-learn's add up to 0, as do ours from a start at 0.
    #expect(distance(models.bias[0].floats(), parity.logistic.bias) < 1e-3)
    let probabilities = rows.linear(models.weights[0], bias: models.bias[0]).softmax(dim: 1)
    #expect(distance(probabilities.floats(), parity.logistic.probabilities) < 1e-4)
  }

  @Test func labelQualityIsCleanlabs() {
    let expected = parity.confident
    #expect(distance(LabelQualityScore.selfConfidence.scores(given), expected.self_confidence) < 1e-6)
    #expect(distance(LabelQualityScore.normalizedMargin.scores(given), expected.normalized_margin) < 1e-6)
    #expect(
      distance(
        LabelQualityScore.confidenceWeightedEntropy.scores(given), expected.confidence_weighted_entropy)
        < 1e-6)
  }

  @Test func confidentJointIsCleanlabs() {
    #expect(ConfidentJoint(given).wholeCounts == parity.confident.joint)
  }

  @Test func confidentLearningIsCleanlabs() {
    #expect(ConfidentLearning.Pruning.byNoiseRate.wrong(given) == parity.confident.prune_by_noise_rate)
    #expect(ConfidentLearning.Pruning.byClass.wrong(given) == parity.confident.prune_by_class)
    #expect(ConfidentLearning.Pruning.both.wrong(given) == parity.confident.both)
  }

  @Test func neighborsAreScikitLearns() {
    let all = Array(parity.labels.indices)
    let found = nearestNeighbors(
      DenseFeatures(parity.matrix), queries: all, k: parity.neighbors.k, threads: 2)
    #expect(found.indices.map(Int.init) == parity.neighbors.indices)
    #expect(distance(found.similarities, parity.neighbors.similarities) < 1e-6)
  }

  @Test func labelsSpreadAsInScikitLearn() {
    let graph = NeighborGraph(parity.matrix, k: parity.spreading.k)
    let known = zip(parity.spreading.known, parity.spreading.answers).map { (place: $0, isRight: $1) }
    #expect(distance(graph.shares(.propagation, known: known), parity.spreading.propagation) < 1e-4)
    #expect(distance(graph.shares(.spreading, known: known), parity.spreading.spreading) < 1e-4)
  }

  @Test func supportVectorMachinesAreScikitLearns() throws {
    let features = parity.matrix
    let examples = features.indexSelect(Tensor(parity.machines.learning))
    for (kernel, expected) in [(Kernel.linear, parity.machines.linear), (.rbf, parity.machines.rbf)] {
      let product = kernel.fitted(examples)
      let machine = try SupportVectorMachine(
        .classification(c: 0.7, balanced: true), gram: product(examples, examples),
        answers: parity.machines.answers)
      #expect(distance(machine.decisions(product(features, examples)), expected) < 5e-3)
    }
    let product = Kernel.rbf.fitted(examples)
    let machine = try SupportVectorMachine(.oneClass(nu: 0.3), gram: product(examples, examples))
    #expect(distance(machine.decisions(product(features, examples)), parity.machines.oneClass) < 5e-3)
  }
}
