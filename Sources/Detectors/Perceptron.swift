import Torch

/// A perceptron with one hidden layer on the verified images of each class: D → 64 ReLU → 1; the score is the
/// probability that the label is right.
///
/// Source: the paper's supervised baseline "MLP" (section 4.2). The logistic loss, both answers weighing alike; 100 steps
/// of AdamW on all verified images at once, weight decay 0.1. Cost per class: 600 such steps (cross-fitting).
package struct Perceptron: Detector {
  package let name = "mlp"
  package let kind = DetectorKind.supervised
  package let hidden: Int
  package let steps: Int

  package init(hidden: Int = 64, steps: Int = 100) {
    self.hidden = hidden
    self.steps = steps
  }

  package func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    let scores = try CrossFitting().scores(problem, detector: name, progress: progress) { one, learning in
      let features = Standardized(one.features, places: learning.map(\.place)).values
      let generator = Generator(seed: one.seed)
      let first = Linear(features.size(1), hidden, generator: generator)
      let second = Linear(hidden, 1, generator: generator)
      let parameters = first.parameters.prefixed("first") + second.parameters.prefixed("second")
      for parameter in parameters { parameter.tensor.requiresGradient = true }
      let examples = features.indexSelect(Tensor(learning.map(\.place)))
      // −log σ(z) of right examples, −log σ(−z) of wrong ones.
      let signs = Tensor(learning.map { Float($0.isRight ? 1 : -1) })
      let right = learning.count { $0.isRight }
      let weights = Tensor(
        learning.map { Float(0.5 / Double($0.isRight ? right : learning.count - right)) })
      let optimizer = AdamW(parameters, learningRate: 1e-3, weightDecay: 0.1)
      for _ in 0..<steps {
        let logits = second(first(examples).relu()).squeezed(dim: 1)
        ((-(logits * signs)).softplus() * weights).sum().backward()
        optimizer.step()
      }
      return withoutGradients { second(first(features).relu()).squeezed(dim: 1).sigmoid().floats() }
    }
    return Detection(scores: scores, scoresAreProbabilities: true)
  }
}
