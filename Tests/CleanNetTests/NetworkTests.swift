import Testing
import Torch

@testable import CleanNet

/// Laws of the two encoders.
@Suite("Network") struct NetworkTests {
  let network = Network(.small(dimension: 6), bfloat16: false, seed: 1)
  let references = Generator(seed: 2).uniform([2, 5, 6])

  private func embedding(_ references: Tensor, _ mask: [Bool]) -> Tensor {
    network.reference(references, mask: Tensor(mask, shape: Array(references.shape.prefix(2))))
  }

  @Test("a class's embedding does not change when its references are permuted")
  func permutation() {
    let plain = embedding(references, Array(repeating: true, count: 10))
    for order in [[4, 3, 2, 1, 0], [1, 2, 3, 4, 0], [2, 0, 4, 1, 3]] {
      let permuted = embedding(
        references.indexSelect(dim: 1, Tensor(order)), Array(repeating: true, count: 10))
      expectClose(permuted, plain.doubles())
    }
  }

  @Test("masking a reference is leaving it out, whatever lies in its place")
  func mask() {
    for missing in 0..<5 {
      let kept = (0..<5).filter { $0 != missing }
      let left = embedding(references.indexSelect(dim: 1, Tensor(kept)), Array(repeating: true, count: 8))
      let spoiled = references.clone()
      spoiled.narrow(dim: 1, start: missing, count: 1).fillInPlace(1000)
      let masked = embedding(spoiled, (0..<10).map { $0 % 5 != missing })
      expectClose(masked, left.doubles())
    }
  }

  @Test("a class without references has a finite embedding")
  func noReferences() {
    #expect(embedding(references, Array(repeating: false, count: 10)).floats().allSatisfy { $0.isFinite })
  }

  @Test("cosines lie in [−1, 1], and an image's do not depend on the others of its batch")
  func cosines() {
    let features = Generator(seed: 3).uniform([7, 6])
    let classes = embedding(references, Array(repeating: true, count: 10))
    let all = Network.cosines(network.query(features), classes)
    #expect(all.shape == [7, 2] && all.floats().allSatisfy { abs($0) <= 1.0001 })
    for image in 0..<7 {
      let alone = Network.cosines(network.query(features[image..<(image + 1)]), classes)
      expectClose(alone, all[image].doubles())
    }
  }

  @Test("bfloat16 layers agree with float32 ones within their precision")
  func bfloat16() {
    let rounded = Network(.small(dimension: 6), bfloat16: true, seed: 1)
    let features = Generator(seed: 3).uniform([7, 6])
    expectClose(rounded.query(features), network.query(features).doubles(), tolerance: 2e-2)
  }

  @Test("dropout draws from its generator in training only, and keeps the mean")
  func dropout() {
    let layer = Generator(seed: 5).dropout(.ones([200, 200]), probability: 0.3)
    let values = Set(layer.floats())
    #expect(values == [0, 1 / 0.7])
    #expect(abs(layer.mean().item - 1) < 0.02)
    let first = embedding(references, Array(repeating: true, count: 10)).floats()
    #expect(embedding(references, Array(repeating: true, count: 10)).floats() == first)
  }
}
