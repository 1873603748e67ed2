import Foundation
import Testing
import Torch

@testable import CleanNet

/// Candidates and a tail instead of all states: the same judgements, in less memory.
@Suite("Candidates") struct CandidateTests {
  /// Log-probabilities of 80 classes by two sources that know the true class more or less.
  private func sources(_ count: Int, classes: Int) -> (sources: [Tensor], labels: SoftLabels) {
    var random = SplitMix64(seed: 5)
    let truth = (0..<count).map { _ in Int.random(in: 0..<classes, using: &random) }
    let labels = truth.map { own in
      Double.random(in: 0..<1, using: &random) < 0.3 ? Int.random(in: 0..<classes, using: &random) : own
    }
    let known = Tensor(truth).oneHot(classes: classes).to(.float32)
    let sources = (0..<2).map { source in
      (known * 8 + Generator(seed: UInt64(source)).normal([count, classes], standardDeviation: 2))
        .logSoftmax(dim: 1)
    }
    return (sources, SoftLabels(labels: labels, classes: classes))
  }

  @Test("a tail weighs what its states weigh, and nearly so under other exponents")
  func tail() {
    let (sources, labels) = sources(300, classes: 80)
    let exponents = [0.4, 0.3]
    let images = Candidates(sources, labels, exponents: exponents, limit: .init(states: 10, candidates: 12))
    for (factor, tolerance) in [(1.0, 0.02), (0.5, 0.05), (1.5, 0.1)] {
      var model = NoiseModel(classes: 80, exponents: exponents.map { $0 * factor })
      for piece in images.pieces {
        #expect(piece.candidates == 12 && piece.width == 16)
        let own = model.logPosterior(piece).floats()
        let all = zip(sources, model.exponents).map { $0.indexSelect(Tensor(piece.rows)) * $1 }
        let exact = (all[0] + all[1]).logSoftmax(dim: 1).floats()
        let states = piece.states.ints()
        for row in piece.rows.indices {
          #expect(states[row * 12] == piece.labels[row])
          #expect(Set(states[row * 12..<row * 12 + 12]).count == 12)
          for place in 0..<12 {
            let difference = own[row * 16 + place] - exact[row * 80 + states[row * 12 + place]]
            #expect(abs(Double(difference)) < tolerance, "\(factor)")
          }
        }
      }
      // Beliefs are divided among all states, and none is lost.
      model.fitTransition(images, iterations: 3)
      let columns = TransitionColumns(model.transition, labels)
      let runs = images.map { [model] piece in
        let likelihoods = columns.likelihoods(piece)
        let joint = model.logPosterior(piece).exp() * likelihoods
        return columns.runs(piece, beliefs: joint / joint.sum(dim: 1, keepDim: true), likelihoods)
      }
      expectClose(
        columns.sum(runs).sum(dim: 1), (0..<80).map { label in Double(labels.labels.count { $0 == label }) },
        tolerance: 1e-2)
    }
  }

  @Test("T and α come out as with all states")
  func fit() {
    let (sources, labels) = sources(4000, classes: 80)
    func fitted(_ limit: CandidateLimit) -> NoiseModel {
      var model = NoiseModel(classes: 80, exponents: [0.4, 0.4])
      model.fit(Candidates(sources, labels, exponents: model.exponents, limit: limit))
      return model
    }
    let all = fitted(.none)
    let some = fitted(.usual)
    for (one, other) in zip(all.exponents, some.exponents) { #expect(abs(one - other) < 0.02 * one) }
    let difference = (all.transition - some.transition).absolute().amax(dim: 1).amax(dim: 0).item
    #expect(difference < 0.01, "\(difference)")
  }

  @Test("labels of many classes are judged as with tables of all classes, from a sample of images too")
  func quality() {
    let classes = 100
    let count = 4000
    var random = SplitMix64(seed: 1)
    let truth = (0..<count).map { $0 % classes }
    let labels = truth.map { own in
      Double.random(in: 0..<1, using: &random) < 0.25
        ? (own + Int.random(in: 1..<classes, using: &random)) % classes : own
    }
    let centers = Generator(seed: 2).normal([classes, 24])
    let features =
      centers.indexSelect(Tensor(truth)) + Generator(seed: 3).normal([count, 24], standardDeviation: 1.2)
    let data = TrainingSet(
      sound: DenseFeatures(features), labels: labels, classes: classes, verifications: [])
    let space = FeatureSpace(
      data, configuration: .extended(suitedTo: DenseFeatures(features)), threads: 2)
    let noise = Generator(seed: 4).normal([count, classes], standardDeviation: 0.2)
    let cosines = noise + Tensor(truth).oneHot(classes: classes).to(.float32) * 0.5
    func judged(_ limit: CandidateLimit, mostFitted: Int = .max) -> (
      auroc: Double, error: Double, suggested: [Int]
    ) {
      let finder = EvidenceFinder(data, in: space, limit: limit, mostFitted: mostFitted)
      let evidence = finder.evidence(
        finder.basis(),
        .init(
          cosines: { cosines.indexSelect(Tensor($0)) }, disagreement: Array(repeating: 0, count: count)))
      let probability = VerdictModel(evidence, verdicts: []).probabilities(evidence)
      func scores(_ right: Bool) -> [Double] {
        labels.indices.filter { (labels[$0] == truth[$0]) == right }.map { Double(probability[$0]) }
      }
      let missed = labels.indices.count { (probability[$0] >= 0.5) != (labels[$0] == truth[$0]) }
      return (
        rankingProbability(right: scores(true), wrong: scores(false)), Double(missed) / Double(count),
        evidence.suggested
      )
    }
    let all = judged(.none)
    let some = judged(.usual)
    let sampled = judged(.usual, mostFitted: 2000)
    #expect(all.auroc > 0.95, "\(all.auroc)")
    #expect(abs(all.auroc - some.auroc) < 0.0005, "\(all.auroc) \(some.auroc)")
    #expect(abs(all.error - some.error) < 0.002, "\(all.error) \(some.error)")
    #expect(zip(all.suggested, some.suggested).count { $0 != $1 } < count / 200)
    #expect(abs(all.auroc - sampled.auroc) < 0.002, "\(all.auroc) \(sampled.auroc)")
    #expect(abs(all.error - sampled.error) < 0.004, "\(all.error) \(sampled.error)")
  }

  @Test("features of many images lie in a file in half precision, and read as others do")
  func halfFeatures() {
    let features = DenseFeatures(Generator(seed: 7).normal([300, 10]))
    let components = PrincipalComponents(features, images: Array(0..<300), normalization: .none)
    let folder = FileManager.default.temporaryDirectory.path + "/half-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let images = Array(stride(from: 0, to: 300, by: 2))
    let exact = ProjectedFeatures(features, images: images, components, scratch: nil)
    let half = ProjectedFeatures(features, images: images, components, scratch: folder, most: 100)
    #expect(half.count == 150 && half.dimension == components.dimension)
    let rows = [3, 149, 0, 77]
    #expect((exact.rows(rows) - half.rows(rows)).absolute().amax(dim: 1).amax(dim: 0).item < 5e-3)
    #expect((exact.rows(10..<20) - half.rows(10..<20)).absolute().amax(dim: 1).amax(dim: 0).item < 5e-3)
    // Nothing is left in the folder.
    #expect((try? FileManager.default.contentsOfDirectory(atPath: folder)) == [])
  }
}
