import Torch

/// A line of the log: an epoch.
package struct EpochRow: Sendable, Hashable, Codable {
  /// Counted from 1.
  package var epoch: Int
  /// Steps so far.
  package var steps: Int
  /// At the end of the epoch, of the backbone.
  package var learningRate: Double
  /// The mean loss of the epoch's images, smoothing and weights included.
  package var loss: Double
  /// Of the validation images, weighted as they are; nil where there are none.
  package var validationLoss: Double?
  package var validationTop1: Double?
  /// Images of the epoch that were trained on.
  package var images: Int
}

/// All that going on after an interruption takes.
package struct FineTuningState {
  package struct Progress: Sendable, Codable {
    package internal(set) var epoch = 0
    /// Batches of the epoch that are done.
    package internal(set) var batch = 0
    package internal(set) var step = 0
    /// Of the epoch so far.
    var lossSum = 0.0
    var images = 0
    package internal(set) var rows: [EpochRow] = []
    package internal(set) var bestEpoch: Int?
    var bestLoss: Double?
    /// The faults of images that were passed over, by example.
    package internal(set) var problems: [Int: String] = [:]

    package init() {}
  }

  package var progress: Progress
  package var tensors: [(name: String, tensor: Tensor)]

  package init(progress: Progress, tensors: [(name: String, tensor: Tensor)]) {
    self.progress = progress
    self.tensors = tensors
  }
}

/// Keeps the state of a fine-tuning, finds it again after an interruption, and takes the best weights.
package struct FineTuningKeeper {
  /// Steps between two states.
  package var interval: Int
  package var restore: () -> FineTuningState?
  package var keep: (FineTuningState) throws -> Void
  /// Takes weights that are the best so far, of the epoch that is counted from 1.
  package var keepBest: (_ weights: [(name: String, tensor: Tensor)], _ epoch: Int) throws -> Void

  package init(
    interval: Int, restore: @escaping () -> FineTuningState?,
    keep: @escaping (FineTuningState) throws -> Void,
    keepBest: @escaping ([(name: String, tensor: Tensor)], Int) throws -> Void
  ) {
    self.interval = interval
    self.restore = restore
    self.keep = keep
    self.keepBest = keepBest
  }
}
