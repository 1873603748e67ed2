import Torch

/// A line of the log: an epoch.
public struct EpochRow: Sendable, Hashable, Codable {
  /// Counted from 1.
  public var epoch: Int
  /// Steps so far.
  public var steps: Int
  /// At the end of the epoch, of the backbone.
  public var learningRate: Double
  /// The mean loss of the epoch's images, smoothing and weights included.
  public var loss: Double
  /// Of the validation images, weighted as they are; nil where there are none.
  public var validationLoss: Double?
  public var validationTop1: Double?
  /// Images of the epoch that were trained on.
  public var images: Int
}

/// All that going on after an interruption takes.
public struct FineTuningState {
  public struct Progress: Sendable, Codable {
    public internal(set) var epoch = 0
    /// Batches of the epoch that are done.
    public internal(set) var batch = 0
    public internal(set) var step = 0
    /// Of the epoch so far.
    var lossSum = 0.0
    var images = 0
    public internal(set) var rows: [EpochRow] = []
    public internal(set) var bestEpoch: Int?
    var bestLoss: Double?
    /// What was wrong with images that were passed over, by example.
    public internal(set) var problems: [Int: String] = [:]

    public init() {}
  }

  public var progress: Progress
  public var tensors: [(name: String, tensor: Tensor)]

  public init(progress: Progress, tensors: [(name: String, tensor: Tensor)]) {
    self.progress = progress
    self.tensors = tensors
  }
}

/// Keeps the state of a fine-tuning, finds it again after an interruption, and takes the best weights.
public struct FineTuningKeeper {
  /// Steps between two states.
  public var interval: Int
  public var restore: () -> FineTuningState?
  public var keep: (FineTuningState) throws -> Void
  /// Takes weights that are the best so far, of the epoch that is counted from 1.
  public var keepBest: (_ weights: [(name: String, tensor: Tensor)], _ epoch: Int) throws -> Void

  public init(
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
