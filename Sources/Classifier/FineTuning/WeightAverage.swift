import Torch

/// A moving average of the weights in training: smoother than the last step, and as a rule better.
///
/// `average += (1 − d)(value − average)` with `d = min(decay, (1 + t) / (10 + t))` in step t, so that the start is soon
/// forgotten.
final class WeightAverage {
  let tensors: [(name: String, tensor: Tensor)]
  private let sources: [Tensor]
  private let decay: Double

  init(_ sources: [(name: String, tensor: Tensor)], decay: Double) {
    self.sources = sources.map(\.tensor)
    self.decay = decay
    tensors = sources.map { ($0.name, $0.tensor.detached().clone()) }
  }

  /// - Parameter step: counted from 0.
  func update(step: Int) {
    let decay = min(decay, Double(1 + step) / Double(10 + step))
    withoutGradients {
      for (average, source) in zip(tensors, sources) {
        average.tensor.multiplyInPlace(decay)
        average.tensor.addInPlace(source, scale: 1 - decay)
      }
    }
  }

  var byName: [String: Tensor] { Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor) }) }
}
