import Foundation
import Testing
import Torch

@testable import CleanNet

/// A trained model judges what it has never seen as it would judge it in the set.
@Suite("Judging new images") struct LabelJudgeTests {
  /// Classes that overlap, so that there is something to be wrong about.
  private func data(perClass: Int, classes: Int = 10, seed: UInt64 = 3) -> (
    features: Tensor, labels: [Int], truth: [Int]
  ) {
    let generator = Generator(seed: seed)
    let count = classes * perClass
    let centers = generator.normal([classes, 32])
    let truth = (0..<count).map { $0 % classes }
    let spread = generator.normal([count, 32], standardDeviation: 1.4)
    var random = SplitMix64(seed: seed &+ 1)
    let labels = truth.map { label in
      guard Double.random(in: 0..<1, using: &random) < 0.25 else { return label }
      return (label + Int.random(in: 1..<classes, using: &random)) % classes
    }
    return (centers.indexSelect(Tensor(truth)) + spread, labels, truth)
  }

  private func train(_ features: Tensor, _ labels: [Int], _ classes: Int) throws -> Training.Outcome {
    var configuration = Configuration.extended(suitedTo: DenseFeatures(features))
    configuration.kMeans = KMeans(clusters: 8, restarts: 2)
    configuration.setSteps(120)
    let set = TrainingSet(
      sound: DenseFeatures(features), labels: labels, classes: classes, verifications: [])
    return try Training(set, configuration: configuration, keepsJudge: true, threads: 2).run()
  }

  @Test("a tenth that is held out is judged as it is in the set")
  func heldAside() throws {
    let classes = 10
    let (features, labels, truth) = data(perClass: 500)
    let aside = labels.indices.filter { ($0 / classes) % 10 == 0 }
    let rest = labels.indices.filter { ($0 / classes) % 10 != 0 }

    let whole = try train(features, labels, classes)
    let evidence = try #require(whole.evidence)
    let inSet = VerdictModel(evidence, verdicts: []).probabilities(evidence)

    let part = try train(features.indexSelect(Tensor(rest)), rest.map { labels[$0] }, classes)
    let judge = try #require(part.judge)
    let verdicts = VerdictModel(try #require(part.evidence), verdicts: [])
    let judged = judge.judge(
      features.indexSelect(Tensor(aside)), labels: aside.map { labels[$0] }, verdicts: verdicts)

    func quality(_ probability: [Float]) -> (auroc: Double, error: Double) {
      func scores(_ right: Bool) -> [Double] {
        aside.indices.filter { (labels[aside[$0]] == truth[aside[$0]]) == right }.map {
          Double(probability[$0])
        }
      }
      let right = scores(true)
      let wrong = scores(false)
      let missed = Double(right.count { $0 < 0.5 } + wrong.count { $0 >= 0.5 })
      return (rankingProbability(right: right, wrong: wrong), missed / Double(aside.count))
    }
    let transductive = quality(aside.map { inSet[$0] })
    let inductive = quality(judged.probability)
    #expect(transductive.auroc > 0.9)
    #expect(abs(transductive.auroc - inductive.auroc) < 0.005, "\(transductive) \(inductive)")
    // Of 500 images one is 0.2 points.
    #expect(abs(transductive.error - inductive.error) < 0.011, "\(transductive) \(inductive)")
    // By lists of neighbors, since there are more than 4,096 images: alone as among the others.
    for row in 0..<60 {
      let alone = judge.judge(
        features[aside[row]..<aside[row] + 1], labels: [labels[aside[row]]], verdicts: verdicts)
      #expect(abs(alone.probability[0] - judged.probability[row]) < 1e-6)
    }
    let agree = aside.indices.count { judged.suggestedClass[$0] == evidence.suggested[aside[$0]] }
    #expect(agree > aside.count * 95 / 100, "\(agree) suggestions agree")
  }

  @Test("a written judge is read again, and judges to the bit alike; so does any batch but for rounding")
  func file() throws {
    let (features, labels, _) = data(perClass: 60)
    let outcome = try train(features, labels, 10)
    let judge = try #require(outcome.judge)
    let verdicts = VerdictModel(
      try #require(outcome.evidence), verdicts: [.init(row: 0, isRight: true), .init(row: 5, isRight: false)])
    let new = data(perClass: 3).features
    let given = (0..<30).map { $0 % 10 }
    let before = judge.judge(new, labels: given, verdicts: verdicts, neighbors: 3)

    let path = FileManager.default.temporaryDirectory.path + "/judge-\(UUID().uuidString).safetensors"
    defer { unlink(path) }
    let content = try judge.checkpoint()
    try SafeTensors.write(tensors: content.tensors, metadata: content.metadata, to: path)
    let read = try LabelJudge(Checkpoint.read(path: path), model: outcome.model)
    let after = read.judge(new, labels: given, verdicts: verdicts, neighbors: 3)
    #expect(after.probability.allSatisfy { (0...1).contains($0) })
    // Votes are kept in half precision.
    #expect(zip(before.probability, after.probability).allSatisfy { abs($0 - $1) < 1e-3 })
    #expect(before.suggestedClass == after.suggestedClass && before.nearest == after.nearest)
    #expect(before.nearest.allSatisfy { $0.count == 3 })

    for row in 0..<30 {
      let alone = read.judge(new[row..<row + 1], labels: [given[row]], verdicts: verdicts)
      #expect(abs(alone.probability[0] - after.probability[row]) < 1e-6)
    }
  }

  @Test("images without a label get a suggestion, and those without features get nothing")
  func gaps() throws {
    let (features, labels, _) = data(perClass: 60)
    let outcome = try train(features, labels, 10)
    let judge = try #require(outcome.judge)
    let verdicts = VerdictModel(try #require(outcome.evidence), verdicts: [])
    let rows = Tensor.concatenate([features[0..<2], .full([1, 32], .nan)])
    let judged = judge.judge(rows, labels: [labels[0], -1, 2], verdicts: verdicts)
    #expect(judged.probability[0].isFinite && judged.probability[1].isNaN && judged.probability[2].isNaN)
    #expect(judged.suggestedClass[1] >= 0 && judged.suggestedClass[2] == -1)
    #expect(
      judged.isRight(0) == (judged.probability[0] >= 0.5) && judged.isRight(1) == nil
        && judged.isRight(2) == nil)
  }

  @Test("evidence of other models about training images does not keep new ones from being judged")
  func otherModels() throws {
    let (features, labels, truth) = data(perClass: 60)
    let said = Tensor(truth).oneHot(classes: 10).to(.float32) * 0.8 + 0.02
    var configuration = Configuration.extended(suitedTo: DenseFeatures(features))
    configuration.setSteps(20)
    let set = TrainingSet(
      sound: DenseFeatures(features), labels: labels, classes: 10, verifications: [], evidence: [said])
    let outcome = try Training(set, configuration: configuration, keepsJudge: true, threads: 2).run()
    let verdicts = VerdictModel(try #require(outcome.evidence), verdicts: [])
    let new = data(perClass: 20).features
    let judge = try #require(outcome.judge)
    let judged = judge.judge(new, labels: (0..<200).map { $0 % 10 }, verdicts: verdicts)
    #expect(judged.probability.allSatisfy { (0...1).contains($0) })
    let right = (0..<200).count { judged.suggestedClass[$0] == $0 % 10 }
    #expect(right > 160, "\(right) of 200")
  }

  @Test("a copy of a training image is near it before all others")
  func copies() throws {
    let (features, labels, _) = data(perClass: 60)
    let judge = try #require(try train(features, labels, 10).judge)
    let verdicts = VerdictModel(try #require(try train(features, labels, 10).evidence), verdicts: [])
    let judged = judge.judge(
      features[0..<20], labels: Array(labels[0..<20]), verdicts: verdicts, neighbors: 1)
    for row in 0..<20 {
      #expect(judge.images[judged.nearest[row][0].place] == row && judged.nearest[row][0].cosine > 0.999)
    }
  }
}
