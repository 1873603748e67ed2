import Foundation
import Testing
import Torch

@testable import CleanNet

/// Verdicts teach something about images that look like verified ones.
@Suite("Verdicts about similar images") struct VerdictResidualTests {
  /// Four classes of 150 images. Of class 0, 50 show something else that always gets its label: features and labels agree,
  /// so that nothing but a verdict can tell.
  private static let each = 150
  private static let classes = 4
  private static func isStray(_ image: Int) -> Bool { image < 50 }

  private func evidence(_ parts: EvidenceParts = .all) -> LabelEvidence {
    let labels = (0..<Self.each * Self.classes).map { $0 / Self.each }
    let means = Generator(seed: 1).normal([Self.classes + 1, 12]) * 3
    let features =
      means.indexSelect(Tensor(labels.indices.map { Self.isStray($0) ? Self.classes : labels[$0] }))
      + Generator(seed: 2).normal([labels.count, 12])
    let data = TrainingSet(
      sound: DenseFeatures(features), labels: labels, classes: Self.classes, verifications: [])
    var configuration = Configuration.extended(dimension: 12)
    configuration.normalization = .none
    let finder = EvidenceFinder(
      data, in: FeatureSpace(data, configuration: configuration, threads: 2), parts: parts)
    return finder.evidence(finder.basis())
  }

  @Test(
    "a kind of image that is always mislabelled is found by a few verdicts, and only by learning from them")
  func strays() {
    // Every fifth image of all classes is verified: ten of the strays.
    func ranking(_ evidence: LabelEvidence) -> Double {
      let verdicts = stride(from: 0, to: evidence.count, by: 5).map {
        VerdictModel.Verdict(row: $0, isRight: !Self.isStray($0))
      }
      let judged = VerdictModel.judge(evidence, verdicts: verdicts)
      let others = (0..<Self.each).filter { !$0.isMultiple(of: 5) }
      func scores(_ stray: Bool) -> [Double] {
        others.filter { Self.isStray($0) == stray }.map { Double(judged.probabilities[$0]) }
      }
      return rankingProbability(right: scores(false), wrong: scores(true))
    }
    let with = ranking(evidence())
    let without = ranking(evidence(.all.subtracting(.residuals)))
    #expect(with > 0.97, "AUROC \(with)")
    #expect(with > without + 0.02, "AUROC \(with) with, \(without) without")
  }

  @Test("a model that was written judges as before")
  func codable() throws {
    let evidence = evidence()
    let model = VerdictModel(
      evidence,
      verdicts: stride(from: 0, to: evidence.count, by: 5).map { .init(row: $0, isRight: !Self.isStray($0)) })
    let back = try JSONDecoder().decode(VerdictModel.self, from: JSONEncoder().encode(model))
    #expect(back.probabilities(evidence) == model.probabilities(evidence))
  }

  @Test("the others say the same about an image as when it is not there")
  func leaveOneOut() throws {
    let count = 24
    let points = Generator(seed: 5).normal([count, 3])
    let covariance = points.matmul(points.transposed()).to(.float64) * 0.5
    var random = SplitMix64(seed: 6)
    let signs = (0..<count).map { _ in Bool.random(using: &random) ? 1.0 : -1 }
    let mean = (0..<count).map { _ in Double.random(in: -1...1, using: &random) }
    let slips = (0..<count).map { _ in Double.random(in: 0..<0.1, using: &random) }
    let whole = VerdictResiduals.mode(
      covariance, mean: mean, signs: signs, slipRates: slips, leavesOneOut: true)
    for image in 0..<count {
      let rest = (0..<count).filter { $0 != image }
      let places = Tensor(rest)
      let fit = VerdictResiduals.mode(
        covariance.indexSelect(places).indexSelect(dim: 1, places), mean: rest.map { mean[$0] },
        signs: rest.map { signs[$0] }, slipRates: rest.map { slips[$0] }, leavesOneOut: false)
      let row = covariance[image].indexSelect(places).doubles()
      let refitted = mean[image] + zip(row, fit.weights).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs(refitted - whole.leftOut[image]) < 0.05, "image \(image)")
    }
  }

  @Test(
    "verdicts beyond one group are learned from, too: in groups of bounded size", arguments: [2, 50, 1300])
  func groups(size: Int) {
    // Classes of `size` images each.
    let labels = (0..<2600).map { $0 % (2600 / size) }
    let groups = VerdictResiduals.groups(labels)
    #expect(groups.flatMap { $0 }.sorted() == Array(labels.indices))
    #expect(groups.allSatisfy { $0.count <= 2 * VerdictResiduals.groupSize })
    // Only classes that are more than a group alone are divided.
    let classes = groups.map { Set($0.map { labels[$0] }).count }.reduce(0, +)
    #expect(size > VerdictResiduals.groupSize || classes == 2600 / size)
  }
}
