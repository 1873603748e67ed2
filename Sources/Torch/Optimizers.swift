import Foundation

/// Something that moves parameters against their gradients.
package protocol Optimizer: AnyObject {
  /// The learning rate of the next step.
  var learningRate: Double { get set }
  /// Moves every parameter that has a gradient, then forgets the gradients.
  func step()
  /// The tensors that a checkpoint must keep to go on as if nothing had happened.
  var state: [(name: String, tensor: Tensor)] { get }
  /// Restores a kept ``state``.
  func restore(_ state: [String: Tensor]) throws(ParameterError)
}

/// Stochastic gradient descent with momentum; `weightDecay` is an L2 term in the loss. The mathematics of
/// `torch.optim.SGD` with dampening 0.
package final class SGD: Optimizer {
  package var learningRate: Double
  private let momentum: Double
  private let weightDecay: Double
  private let nesterov: Bool
  private let slots: [(name: String, parameter: Tensor, velocity: Tensor)]

  package init(
    _ parameters: [(name: String, tensor: Tensor)], learningRate: Double, momentum: Double = 0.9,
    weightDecay: Double = 0, nesterov: Bool = false
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.nesterov = nesterov
    slots = parameters.map { ($0.name, $0.tensor, .zeros(like: $0.tensor)) }
  }

  package func step() {
    for slot in slots {
      guard let gradient = slot.parameter.gradient else { continue }
      Tensor.check(
        "SGD",
        Engine.functions.sgd_step(
          slot.parameter.handle, gradient.handle, slot.velocity.handle, learningRate, momentum, weightDecay,
          nesterov))
      slot.parameter.clearGradient()
    }
  }

  package var state: [(name: String, tensor: Tensor)] { slots.map { ("velocity.\($0.name)", $0.velocity) } }

  package func restore(_ state: [String: Tensor]) throws(ParameterError) {
    try Stored(self.state).restore(state)
  }
}

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019). The mathematics of `torch.optim.AdamW`.
package final class AdamW: Optimizer {
  package var learningRate: Double
  private let betas: (Double, Double)
  private let epsilon: Double
  private let weightDecay: Double
  private let slots: [(name: String, parameter: Tensor, mean: Tensor, variance: Tensor)]
  private let steps: Tensor

  package init(
    _ parameters: [(name: String, tensor: Tensor)], learningRate: Double,
    betas: (Double, Double) = (0.9, 0.999),
    epsilon: Double = 1e-8, weightDecay: Double = 0.01
  ) {
    self.learningRate = learningRate
    self.betas = betas
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    slots = parameters.map { ($0.name, $0.tensor, .zeros(like: $0.tensor), .zeros(like: $0.tensor)) }
    steps = .zeros([1], dtype: .int64)
  }

  package func step() {
    let count = Int64(steps.item) + 1
    steps.fillInPlace(Double(count))
    for slot in slots {
      guard let gradient = slot.parameter.gradient else { continue }
      Tensor.check(
        "AdamW",
        Engine.functions.adamw_step(
          slot.parameter.handle, gradient.handle, slot.mean.handle, slot.variance.handle, learningRate,
          betas.0,
          betas.1, epsilon, weightDecay, count))
      slot.parameter.clearGradient()
    }
  }

  package var state: [(name: String, tensor: Tensor)] {
    slots.flatMap { [("mean.\($0.name)", $0.mean), ("variance.\($0.name)", $0.variance)] } + [
      ("steps", steps)
    ]
  }

  package func restore(_ state: [String: Tensor]) throws(ParameterError) {
    try Stored(self.state).restore(state)
  }
}

/// Named tensors that are restored like a network's parameters.
private struct Stored: Parameterized {
  let parameters: [(name: String, tensor: Tensor)]
  init(_ parameters: [(name: String, tensor: Tensor)]) { self.parameters = parameters }
}

/// How the learning rate goes with the steps.
public enum LearningRateSchedule: Sendable, Hashable, Codable {
  /// The same rate throughout.
  case constant
  /// Times `factor` after each `every` steps.
  case step(every: Int, factor: Double)
  /// Linear from 0 over `warmup` steps, then half a cosine down to 0 at `total`.
  case cosine(total: Int, warmup: Int)

  /// The factor on the base rate in step `step`, counted from 0.
  public func factor(at step: Int) -> Double {
    switch self {
    case .constant: return 1
    case .step(let every, let factor):
      var result = 1.0
      for _ in 0..<(step / max(every, 1)) { result *= factor }
      return result
    case .cosine(let total, let warmup):
      if step < warmup { return Double(step + 1) / Double(warmup) }
      let progress = Double(min(step, total) - warmup) / Double(max(total - warmup, 1))
      return 0.5 * (1 + cos(.pi * progress))
    }
  }
}
