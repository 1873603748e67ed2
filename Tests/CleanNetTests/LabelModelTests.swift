import Foundation
import Testing
import Torch

@testable import CleanNet

/// The library's front door: data in, a model out, in the background.
@Suite("A model of labels") struct LabelModelTests {
  private static let classes = 4

  private static func features(_ truth: [Int], seed: UInt64) -> Tensor {
    let centers = Generator(seed: 1).uniform([classes, 16], low: 0, high: 4)
    let spread = Generator(seed: seed).normal([truth.count, 16], standardDeviation: 0.6)
    return (centers.indexSelect(Tensor(truth)) + spread).clamped(min: 0)
  }

  private static let truth = (0..<240).map { $0 % classes }
  private static let labels = truth.enumerated().map { $0 % 6 == 0 ? ($1 + 1) % classes : $1 }

  private func set(evidence: [Tensor] = [], verified: [VerificationLabel] = []) throws -> TrainingSet {
    try TrainingSet(
      features: DenseFeatures(Self.features(Self.truth, seed: 2)), labels: Self.labels,
      classes: Self.classes, verifications: verified, evidence: evidence)
  }

  /// Fewer steps than usual.
  private func configuration(_ data: TrainingSet, steps: Int = 60) -> Configuration {
    var configuration = Configuration.extended(suitedTo: data.features)
    configuration.kMeans = KMeans(clusters: 4, restarts: 1)
    configuration.setSteps(steps)
    return configuration
  }

  private let verified = [0, 4, 8, 12].map {
    VerificationLabel(image: $0, isRight: truth[$0] == labels[$0])
  }

  @Test("progress comes in order and ends; the model judges as its parts do, by columns and image by image")
  func trains() async throws {
    let data = try set(verified: verified)
    let run = TrainingRun(data, configuration: configuration(data), threads: 2)
    var steps: [Int] = []
    var hasBeliefs = false
    for await event in run {
      if case .beliefs = event {
        hasBeliefs = true
        #expect(steps.isEmpty)
      }
      if case .steps(let done, let total) = event {
        steps.append(done)
        #expect(total == 120)
      }
    }
    #expect(hasBeliefs)
    #expect(steps.last == 120)
    let model = try await run.model
    let parts = try Training(data, configuration: configuration(data), threads: 2).run()
    let expected = Judgements(
      try #require(parts.evidence), verifications: verified, count: data.labels.count)
    let judgements = model.judgements()
    #expect(judgements.probability == expected.probability)
    #expect(judgements.count == 240)
    for judgement in judgements {
      #expect(judgement.probability == expected.probability[judgement.image])
      #expect(judgement.isRight == expected.isRight(judgement.image))
      #expect(judgement.suggestedClass == expected.suggestedClass[judgement.image])
      #expect(judgement.softWeight == judgement.probability)
    }
    let right = judgements.count { $0.isRight == (Self.labels[$0.image] == Self.truth[$0.image]) }
    #expect(right > 230)
  }

  @Test("a saved model judges its own images and new ones as before, and takes more verdicts")
  func file() async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let data = try set(verified: verified)
    let model = try await LabelModel(training: data, configuration: configuration(data), threads: 2)
    try model.save(to: path)
    var read = try LabelModel(path: path)
    #expect(read.verifications == verified)
    #expect(read.judgements().probability == model.judgements().probability)
    let new = Self.features([0, 1, 2, 3], seed: 9)
    let labels = [0, 1, 0, -7]
    let judged = try read.judge(new, labels: labels, neighbors: 2)
    for (one, other) in zip(judged, try model.judge(new, labels: labels, neighbors: 2)) {
      // Votes are kept in half precision.
      #expect(abs((one.probability ?? 0) - (other.probability ?? 0)) < 1e-3)
      #expect(one.suggestedClass == other.suggestedClass && one.nearest == other.nearest)
    }
    #expect(judged.map(\.isRight) == [true, true, false, nil])
    #expect(judged.map(\.suggestedClass) == [0, 1, 2, 3])
    #expect(judged[0].nearest.count == 2)
    // Verdicts that contradict the evidence lower all probabilities.
    let before = try #require(judged[0].probability)
    read.verifications = (0..<40).filter { Self.truth[$0] == Self.labels[$0] }.map {
      VerificationLabel(image: $0, isRight: false)
    }
    #expect(try read.judge(new, labels: labels)[0].probability ?? 1 < before)
    #expect(throws: TrainingDataError.noSuchClass(4, image: 2, classes: 4)) {
      try read.judge(new, labels: [0, 1, 4, 0])
    }
    // A file of another kind is told.
    try SafeTensors.write(tensors: model.judge.checkpoint().tensors, to: path)
    #expect(throws: ModelError.noModel) { try LabelModel(path: path) }
  }

  @Test("training that is cancelled ends long before its steps do", arguments: [true, false])
  func cancels(byTask: Bool) async throws {
    let data = try set()
    // Hours of steps.
    let run = TrainingRun(data, configuration: configuration(data, steps: 10_000_000), threads: 2)
    let waiting = Task { try await run.model }
    for await event in run {
      guard case .steps(let done, _) = event, done > 0 else { continue }
      if byTask { waiting.cancel() } else { run.cancel() }
      break
    }
    await #expect(throws: CancellationError.self) { try await waiting.value }
    await #expect(throws: CancellationError.self) { try await run.model }
  }

  @Test("the evidence of another model is weighed, and decides where the features say nothing")
  func evidence() async throws {
    let noise = DenseFeatures(Generator(seed: 3).normal([240, 16]))
    let said = Tensor(
      Self.truth.flatMap { own in (0..<Self.classes).map { Float($0 == own ? 0.85 : 0.05) } },
      shape: [240, Self.classes])
    let data = try TrainingSet(
      features: noise, labels: Self.labels, classes: Self.classes, verifications: [], evidence: [said])
    let model = try await LabelModel(training: data, configuration: configuration(data), threads: 2)
    let right = model.judgements().count { $0.isRight == (Self.labels[$0.image] == Self.truth[$0.image]) }
    #expect(right > 230)
  }

  @Test("numbers out of their range are errors that say where")
  func errors() async throws {
    let features = DenseFeatures(Self.features([0, 1, 2], seed: 1))
    func set(_ labels: [Int], _ verified: [Int] = [], _ evidence: [Float]? = nil) throws -> TrainingSet {
      try TrainingSet(
        features: features, labels: labels, classes: 3,
        verifications: verified.map { VerificationLabel(image: $0, isRight: true) },
        evidence: evidence.map { [Tensor($0, shape: [3, 3])] } ?? [])
    }
    #expect(throws: TrainingDataError.noSuchClass(3, image: 1, classes: 3)) { try set([0, 3, 1]) }
    #expect(throws: TrainingDataError.noSuchImage(3, images: 3)) { try set([0, 1, 2], [0, 3]) }
    #expect(throws: TrainingDataError.noSuchImage(-1, images: 3)) { try set([0, 1, 2], [-1]) }
    #expect(throws: TrainingDataError.noProbabilities(source: 0, image: 1)) {
      try set([0, 1, 2], [], [0, 0, 1, 0, .nan, 1, 0, 0, 1])
    }
    // An image that takes no part may have none.
    _ = try set([0, -1, 2], [], [0, 0, 1, 0, -1, 1, 0, 0, 1])
    for labels in [[-1, -1, -1], [1, 1, -1]] {
      await #expect(throws: TrainingDataError.tooFewClasses(Set(labels).subtracting([-1]).count)) {
        try await LabelModel(training: set(labels))
      }
    }
    // One image per class is little, but no reason to end the program.
    #expect(try await LabelModel(training: set([0, 1, 2])).judgements().count == 3)
  }
}
