import Testing
import Torch

@testable import CleanNet

/// Each term against values worked by hand from method.md's formulas.
@Suite("Losses") struct LossTests {
  @Test("supervised: 1 − cos where right, ω · max(0, cos − ρ) where wrong")
  func supervised() {
    let cosine = Tensor([0.8, -0.5, 0.6, 0.05] as [Float])
    let right = Tensor([true, true, false, false])
    expectClose(supervisedLoss(cosine, right: right, margin: 0.1, wrong: 5), [0.2, 1.5, 2.5, 0])
  }

  @Test("unsupervised: the pseudo verification label is cos ≥ ρ")
  func pseudo() {
    let cosine = Tensor([0.8, 0.1, 0.09, -1] as [Float])
    expectClose(pseudoVerificationLoss(cosine, margin: 0.1, wrong: 5), [0.2, 0.9, 0, 0])
  }

  @Test("reconstruction: the squared distance of the feature and what the decoder gives")
  func reconstruction() {
    let features = Tensor([1, 2, 3, 0, 0, 0] as [Float], shape: [2, 3])
    let restored = Tensor([1, 0, 1, 0.5, 0, -0.5] as [Float], shape: [2, 3])
    expectClose(reconstructionLoss(features, restored), [8, 0.5])
  }

  @Test("cross-class negatives: the mean over the other classes of max(0, A − ρ)")
  func negatives() {
    let cosines = Tensor([0.9, 0.3, 0.05, 0.9, 0.3, 0.05] as [Float], shape: [2, 3])
    let own = Tensor([0, 2]).oneHot(classes: 3).to(.float32)
    // (0.2 + 0) / 2 and (0.8 + 0.2) / 2
    expectClose(crossClassLoss(cosines, beliefs: own, margin: 0.1), [0.1, 0.5])
  }

  @Test("generalised cross entropy: (1 − p^q) / q of the softmax of A / T; q = 0 is cross entropy")
  func generalized() {
    // A difference of T · ln 3 gives the odds 3 : 1.
    let cosines = Tensor([0.1 * 1.0986123, 0, 0, 0.1 * 1.0986123] as [Float], shape: [2, 2])
    let own = Tensor([0, 0]).oneHot(classes: 2).to(.float32)
    let q = 0.7
    let expected = [0.75, 0.25].map { (1 - pow($0, q)) / q }
    expectClose(generalizedCrossEntropy(cosines, beliefs: own, temperature: 0.1, robustness: q), expected)
    let plain = generalizedCrossEntropy(cosines, beliefs: own, temperature: 0.1, robustness: 0)
    expectClose(plain, [-log(0.75), -log(0.25)])
  }

  @Test("the paper's total: L_sup · [verified] + β · L_rec + γ · L_unsup · [not verified], as a mean")
  func paperTotal() {
    var weights = Configuration.paper(dimension: 4).losses
    weights.wrong = 5
    // Two verified images (right with cos 0.8; wrong with cos 0.3) and an unverified one (cos 0.7, held right).
    let cosines = Tensor([0.8, 0, 0.3, 0, 0.7, 0] as [Float], shape: [3, 2])
    let own = Tensor([0, 0, 0]).oneHot(classes: 2).to(.float32)
    let total = weights.total(
      cosines: cosines, own: own, verified: Tensor([1, 1, 0] as [Float]),
      right: Tensor([true, false, false]),
      reconstruction: Tensor([1, 2, 3] as [Float]))
    let worked = (0.2 + 5 * 0.2 + 0.1 * (1 + 2 + 3) + 0.1 * 0.3) / 3
    #expect(abs(total.item - worked) < 1e-6)
  }

  @Test("the extended total adds λ_neg · negatives for all and λ_pos · pull for the unverified")
  func extendedTotal() {
    var weights = LossWeights()
    weights.pseudo = 0
    weights.reconstruction = 0
    weights.negatives = 1
    weights.positives = 0.3
    let cosines = Tensor([0.8, 0.2, 0.5, 0.5] as [Float], shape: [2, 2])
    let own = Tensor([0, 0]).oneHot(classes: 2).to(.float32)
    let total = weights.total(
      cosines: cosines, own: own, verified: Tensor([1, 0] as [Float]), right: Tensor([true, false]),
      reconstruction: Tensor([9, 9] as [Float]))
    let pull = (1 - pow(0.5, 0.7)) / 0.7
    #expect(abs(total.item - (0.2 + 0.1 + 0.4 + 0.3 * pull) / 2) < 1e-6)
  }

  @Test("derivatives of the whole objective agree with finite differences, for every parameter")
  func gradients() throws {
    let architecture = Architecture.small(dimension: 6)
    let network = Network(architecture, bfloat16: false, seed: 3)
    network.requireGradients()
    let generator = Generator(seed: 4)
    let features = generator.uniform([8, 6])
    let references = generator.uniform([3, 4, 6])
    let mask = Tensor((0..<12).map { $0 != 5 && $0 != 11 }, shape: [3, 4])
    let labels = Tensor([0, 1, 2, 0, 1, 2, 0, 1])
    var weights = LossWeights()
    weights.negatives = 1
    weights.positives = 0.3
    func loss() -> Tensor {
      let queries = network.query(features)
      return weights.total(
        cosines: Network.cosines(queries, network.reference(references, mask: mask)),
        own: labels.oneHot(classes: 3).to(.float32), verified: Tensor([1, 1, 1, 1, 0, 0, 0, 0] as [Float]),
        right: Tensor([true, false, true, false, false, false, false, false]),
        reconstruction: reconstructionLoss(features, network.query.decode(queries)))
    }
    loss().backward()
    let gradients = try network.parameters.map { try #require($0.tensor.gradient, "\($0.name)").clone() }
    for ((name, parameter), gradient) in zip(network.parameters, gradients) {
      let direction = generator.normal(parameter.shape)
      let step = 1e-2 / max(1, direction.squared().sum().item.squareRoot())
      let slope = (gradient * direction).sum().item
      let difference = withoutGradients {
        parameter.addInPlace(direction, scale: step)
        let above = loss().item
        parameter.addInPlace(direction, scale: -2 * step)
        let below = loss().item
        parameter.addInPlace(direction, scale: step)
        return (above - below) / (2 * step)
      }
      #expect(abs(difference - slope) < 2e-3 + 2e-2 * abs(slope), "\(name): \(difference) against \(slope)")
    }
  }
}
