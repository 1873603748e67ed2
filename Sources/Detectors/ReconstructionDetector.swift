import Foundation
import Torch

/// DRAE, a discriminative reconstruction auto-encoder on the images of each class: what it restores badly is called
/// wrong.
///
/// Source: Xia, Cao, Wen, Hua & Sun, "Learning discriminative reconstructions for unsupervised outlier removal" (ICCV
/// 2015). With e_i the reconstruction error of image i, each round
/// 1. splits the images at the error that makes `h = (within-group variance of e) / (total variance of e)` least, and
/// 2. trains D → 64 → 16 → 64 → D (tanh inside) on `mean of e over the lower group + λ · h`.
///
/// Only images held to be right are restored, and h pushes the two groups' errors apart. The score is
/// `log(split / e_i)`, 0 at the split, so that one threshold suits all classes. Cost per class: `rounds` passes over its
/// images, about `12 · 64 · D` operations an image each.
package struct ReconstructionDetector: Detector {
  package let name = "drae"
  package let kind = DetectorKind.unsupervised
  package let rounds: Int
  /// λ
  package let discrimination: Double

  package init(rounds: Int = 20, discrimination: Double = 0.1) {
    self.rounds = rounds
    self.discrimination = discrimination
  }

  /// Images of a step.
  private static let batch = 256

  package func judge(_ problem: DetectionProblem, progress: @escaping DetectionProgress) -> Detection {
    let classes = problem.members.filter { !$0.isEmpty }
    let done = Done(total: classes.count, progress: progress)
    let results = concurrentMap(over: classes.count, threads: problem.threads) { index in
      defer { done.one() }
      return scores(problem.features.rows(classes[index]), seed: problem.seed &+ UInt64(index) &* 0xD2AE)
    }
    var all = [Float](repeating: .nan, count: problem.labels.count)
    for (images, scores) in zip(classes, results) {
      for (image, score) in zip(images, scores) { all[image] = score }
    }
    return Detection(scores: all)
  }

  private func scores(_ features: Tensor, seed: UInt64) -> [Float] {
    let values = Standardized(features, places: Array(0..<features.size(0))).values
    let generator = Generator(seed: seed)
    let network = AutoEncoder(dimension: values.size(1), generator: generator)
    network.requireGradients()
    let optimizer = AdamW(network.parameters, learningRate: 1e-3, weightDecay: 1e-4)
    var errors = withoutGradients { network.errors(values).floats().map(Double.init) }
    // Until something is learnt, all images are held to be right.
    var split = Double.infinity
    for round in 0..<rounds {
      let order = generator.permutation(values.size(0))
      for start in stride(from: 0, to: errors.count, by: Self.batch) {
        let images = order.narrow(start: start, count: min(Self.batch, errors.count - start))
        let lower = Tensor(images.ints().map { errors[$0] <= split }).to(.float32)
        let restored = network.errors(values.indexSelect(images))
        loss(restored, lower: lower).backward()
        optimizer.step()
      }
      errors = withoutGradients { network.errors(values).floats().map(Double.init) }
      if round >= rounds / 10 { split = Self.bestSplit(errors) }
    }
    let limit = split.isFinite ? split : errors.max() ?? 1
    return errors.map { Float(log(max(limit, 1e-12) / max($0, 1e-12))) }
  }

  /// `mean of e over the lower group + λ · h` of a batch.
  private func loss(_ errors: Tensor, lower: Tensor) -> Tensor {
    let upper = 1 - lower
    let below = lower.sum().item
    let above = upper.sum().item
    let restored = (errors * lower).sum() / max(1, below)
    guard below > 1, above > 1 else { return restored }
    let centers = lower * (restored) + upper * ((errors * upper).sum() / above)
    let within = (errors - centers).squared().sum()
    let total = (errors - errors.mean()).squared().sum()
    return restored + within / (total + 1e-12) * discrimination
  }

  /// The error that splits the errors into two groups with the least variance within; between two errors.
  static func bestSplit(_ errors: [Double]) -> Double {
    let sorted = errors.sorted()
    guard let last = sorted.last, sorted.count > 1 else { return .infinity }
    let total = sorted.reduce(0, +)
    var sum = 0.0
    var best = -Double.infinity
    var split = last
    for place in 0..<sorted.count - 1 {
      sum += sorted[place]
      guard sorted[place + 1] > sorted[place] else { continue }
      // Least variance within is most between: n₁ · mean₁² + n₂ · mean₂², up to a constant.
      let low = Double(place + 1)
      let high = Double(sorted.count - place - 1)
      let between = sum * sum / low + (total - sum) * (total - sum) / high
      if between > best {
        best = between
        split = (sorted[place] + sorted[place + 1]) / 2
      }
    }
    return split
  }

  private struct AutoEncoder: Parameterized {
    let layers: [Linear]

    init(dimension: Int, generator: Generator) {
      let sizes = [dimension, 64, 16, 64, dimension]
      layers = zip(sizes, sizes.dropFirst()).map { Linear($0, $1, generator: generator) }
    }

    /// The mean squared distance between an image's features and the restored ones: `[B, D]` → `[B]`.
    func errors(_ features: Tensor) -> Tensor {
      var value = features
      for (index, layer) in layers.enumerated() {
        value = layer(value)
        if index + 1 < layers.count { value = value.tanh() }
      }
      return (value - features).squared().mean(dim: 1)
    }

    var parameters: [(name: String, tensor: Tensor)] {
      layers.enumerated().flatMap { $1.parameters.prefixed("layer\($0)") }
    }
  }
}
