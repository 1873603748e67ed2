import Torch

/// How batch norm goes about a batch while a network is trained.
package enum BatchNormMode: String, Sendable, Hashable, Codable, CaseIterable {
  /// By the batch's own mean and variance; running ones move along.
  case train
  /// By the statistics that came with the weights: for small batches, and for few images.
  case frozen
}

/// A backbone whose last stages, or all of it, learn.
///
/// ```swift
/// let network = try TrainableBackbone(.resNet18, weights: path, trainedStages: 2)
/// let features = network.features(pixels)            // [N, 512], with a graph behind it
/// features.linear(weight, bias: bias) …  .backward()
/// ```
///
/// Stages are ResNet's four and EfficientNet-Lite's seven; a last 1×1 convolution counts with the last stage, the stem is
/// trained only when all is. Weights are float32; in bfloat16, convolutions and maps are rounded, while gradients of the
/// weights, batch norm's sums and the features are float32: what automatic mixed precision is elsewhere. bfloat16 has
/// float32's range, so that losses need no scaling.
///
/// Stages before the trained ones are folded as for inference, and take neither gradients nor memory for them.
package final class TrainableBackbone: Parameterized, @unchecked Sendable {
  // Safe: nothing is replaced once it is made. Its tensors change in training, which one thread at a time may do.
  package let kind: BackboneKind
  /// The number type that the network computes with: float32 or bfloat16.
  package let dtype: DType
  /// How many of the last stages learn; nil: all of the network.
  package let trainedStages: Int?
  package let batchNorm: BatchNormMode
  /// Where it is trained.
  package let device: Device
  private let tensors: Network<NormalizedConvolution>
  private let network: Network<TrainableUnit>
  /// The units that learn, in order.
  private let trained: [NormalizedConvolution]
  private let names: WeightNames

  /// Reads the weights from a file, as ``Backbone`` does.
  ///
  /// - Throws: ``CheckpointError`` where the file cannot be read or holds another network's weights.
  package convenience init(
    _ kind: BackboneKind, weights path: String, trainedStages: Int? = nil, precision: Precision = .auto,
    batchNorm: BatchNormMode = .train, device: Device = .cpu
  ) throws(CheckpointError) {
    let checkpoint = try Checkpoint.read(path: path)
    let reader = WeightReader(checkpoint, path: path, kind: kind)
    self.init(
      kind, try reader.network(), names: WeightNames(reader.checkpoint), trainedStages: trainedStages,
      precision: precision, batchNorm: batchNorm, device: device)
  }

  /// An untrained network. Weights depend on the seed alone.
  package convenience init(
    _ kind: BackboneKind, seed: UInt64, precision: Precision = .auto, device: Device = .cpu
  ) {
    let generator = Generator(seed: seed)
    self.init(
      kind, kind.network().map { NormalizedConvolution($0, generator: generator) }, names: .published,
      trainedStages: nil, precision: precision, batchNorm: .train, device: device)
  }

  private init(
    _ kind: BackboneKind, _ tensors: Network<NormalizedConvolution>, names: WeightNames, trainedStages: Int?,
    precision: Precision, batchNorm: BatchNormMode, device: Device
  ) {
    let dtype = precision.dtype(on: device)
    let tensors = tensors.map { $0.to(device) }
    self.device = device
    self.kind = kind
    self.tensors = tensors
    self.names = names
    self.dtype = dtype
    self.trainedStages = trainedStages
    self.batchNorm = batchNorm
    let firstTrained = tensors.firstTrainedUnit(stages: trainedStages)
    var index = -1
    network = tensors.map { (unit) -> TrainableUnit in
      index += 1
      guard index >= firstTrained else {
        return .frozen(FoldedConvolution(unit, dtype: dtype, device: device))
      }
      for parameter in unit.parameters { parameter.tensor.requiresGradient = true }
      return .learning(
        LearningConvolution(tensors: unit, dtype: dtype, usesBatchStatistics: batchNorm == .train))
    }
    trained = Array(tensors.units.dropFirst(firstTrained))
  }

  /// D, the number of features of an image.
  package var featureDimension: Int { kind.featureDimension }

  /// The features of images, with gradients behind them if they are being recorded.
  ///
  /// - Parameter pixels: `[N, H, W, 3]`, uint8, red, green, blue; H = W.
  /// - Returns: `[N, D]`, float32.
  package func features(_ pixels: Tensor) -> Tensor {
    network.features(kind.normalization(pixels.to(device), dtype: dtype))
  }

  /// The trainable parameters, by their names in a file of weights.
  package var parameters: [(name: String, tensor: Tensor)] { trained.flatMap(\.parameters) }

  /// The running statistics that move: those of trained stages, unless batch norm is frozen.
  package var statistics: [(name: String, tensor: Tensor)] {
    batchNorm == .train ? trained.flatMap(\.statistics) : []
  }

  /// All of the network as a file of weights has it, in PyTorch's names and order; the tensors in `replacing` take the
  /// place of those of the same name.
  package func weights(replacing: [String: Tensor] = [:]) -> [(name: String, tensor: Tensor)] {
    let batches = Tensor.zeros([], dtype: .int64)
    return tensors.units.flatMap { unit in
      (unit.parameters + unit.statistics).map { ($0.name, replacing[$0.name] ?? $0.tensor) }
        // PyTorch's batch norm counts batches, and misses the number where it is not there.
        + [(unit.description.norm + ".num_batches_tracked", batches)]
    }
  }

  /// The names of the classifier's tensors in the same file.
  package var classifierName: String { tensors.classifierName }
}

extension Network {
  /// Which of ``units`` is the first to be trained with the last `stages` stages.
  func firstTrainedUnit(stages trained: Int?) -> Int {
    guard let trained else { return 0 }
    guard trained < stages.count else { return 1 }
    guard trained > 0 else { return units.count }
    let first = stages[stages.count - trained].lowerBound
    return 1 + blocks[..<first].reduce(0) { $0 + $1.units.count }
  }
}
