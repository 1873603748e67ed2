import Testing
import Torch

@testable import Detectors

@Suite struct SharedPartsTests {
  @Test func foldsAreOfOneSizeInEveryClass() {
    let labels = (0..<103).map { $0 % 7 == 0 ? 1 : 0 }
    let fold = CrossValidation.stratified(labels: labels, folds: 5, seed: 3)
    for label in [0, 1] {
      let sizes = (0..<5).map { held in labels.indices.count { fold[$0] == held && labels[$0] == label } }
      #expect((sizes.max() ?? 0) - (sizes.min() ?? 9) <= 1)
    }
    #expect(fold != CrossValidation.stratified(labels: labels, folds: 5, seed: 4))
  }

  @Test func splitHasTheLeastVarianceWithin() {
    let errors = [0.9, 0.1, 0.15, 1.0, 0.2, 0.3, 1.2]
    let split = ReconstructionDetector.bestSplit(errors)
    #expect(abs(split - 0.6) < 1e-12)
  }

  @Test func wholeCountsKeepTheirSum() {
    #expect(ConfidentJoint.rounded([32.5, 5, 7.5], total: 45) == [32, 5, 8])
    #expect(ConfidentJoint.rounded([0.3, 0.3, 2.4], total: 3) == [0, 0, 3])
  }

  @Test func probabilitiesAreOfModelsThatDidNotSeeTheImage() {
    // Labels drawn at random: whoever has seen them would be surer of them than of others.
    let generator = Generator(seed: 0)
    let labels = generator.integers(below: 2, count: 120).ints()
    let problem = DetectionProblem(
      features: DenseFeatures(generator.normal([120, 60])), labels: labels, classes: 2, verdicts: [:])
    let found = CrossValidation(folds: 4, c: 10).probabilities(problem) { _ in }
    let mean = (0..<120).reduce(0.0) { $0 + Double(found.own($1)) } / 120
    #expect(abs(mean - 0.5) < 0.1)
  }
}
