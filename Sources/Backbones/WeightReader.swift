import Torch

/// Takes a network's tensors out of a file of weights.
struct WeightReader {
  let checkpoint: Checkpoint
  /// The file's name, for errors.
  let path: String
  let kind: BackboneKind

  init(_ checkpoint: Checkpoint, path: String, kind: BackboneKind) {
    self.checkpoint = checkpoint.strippingPrefix("module.")
    self.path = path
    self.kind = kind
  }

  /// The network with its weights, float32, batch norm apart.
  ///
  /// - Throws: where a tensor is missing, misshapen or not finite, or where one has no place in the network: a part of
  ///   ResNet-101's weights would fit ResNet-50.
  func network() throws(CheckpointError) -> Network<NormalizedConvolution> {
    let description = kind.network(names: WeightNames(checkpoint))
    if let extra = firstUnexpected(description) {
      throw misfit("its tensor '\(extra)' has no place in \(kind)")
    }
    return try description.map { (unit) throws(CheckpointError) in try convolution(unit) }
  }

  /// The classifier after the features, if the file has one: `[K, D]` and `[K]`.
  func classifier() throws(CheckpointError) -> Linear? {
    let network = kind.network(names: WeightNames(checkpoint))
    let weightName = network.classifierName + ".weight"
    let biasName = network.classifierName + ".bias"
    guard let stored = checkpoint[weightName] else { return nil }
    let classes = stored.shape.first ?? 0
    let weight = try tensor(weightName, shape: [classes, network.outputs])
    return Linear(weight: weight, bias: try tensor(biasName, shape: [classes]))
  }

  private func convolution(_ unit: Convolution) throws(CheckpointError) -> NormalizedConvolution {
    let weight = try tensor(unit.name + ".weight", shape: unit.weightShape)
    let scale = try tensor(unit.norm + ".weight", shape: [unit.outputs])
    let shift = try tensor(unit.norm + ".bias", shape: [unit.outputs])
    let mean = try tensor(unit.norm + ".running_mean", shape: [unit.outputs])
    let variance = try tensor(unit.norm + ".running_var", shape: [unit.outputs])
    guard variance.amin(dim: 0).item >= 0 else {
      throw damage("its tensor '\(unit.norm).running_var' holds a negative variance")
    }
    return NormalizedConvolution(
      description: unit, weight: weight, scale: scale, shift: shift, mean: mean, variance: variance)
  }

  /// A tensor as float32.
  private func tensor(_ name: String, shape: [Int]) throws(CheckpointError) -> Tensor {
    guard let stored = checkpoint[name] else {
      throw misfit("it lacks the tensor '\(name)' of \(kind), of shape \(shape)")
    }
    guard stored.shape == shape else {
      throw misfit("its tensor '\(name)' has the shape \(stored.shape), and \(kind) needs \(shape)")
    }
    switch stored.dtype {
    case .float64, .float32, .float16, .bfloat16: break
    case .int64, .int32, .int16, .int8, .uint8, .bool:
      throw CheckpointError(
        path: path,
        what: "its tensor '\(name)' holds \(stored.dtype.rawValue) numbers, as quantised weights do",
        remedy: "Give weights in floating point")
    }
    let tensor = Tensor(stored).to(.float32)
    guard tensor.isFinite().to(.float32).reshaped([-1]).amin(dim: 0).item == 1 else {
      throw damage("its tensor '\(name)' holds numbers that are not finite")
    }
    return tensor
  }

  /// The first tensor that is neither the network's nor its classifier's nor a counter of batches.
  private func firstUnexpected(_ network: Network<Convolution>) -> String? {
    var expected = Set(network.units.flatMap(\.tensorShapes.keys))
    expected.formUnion([network.classifierName + ".weight", network.classifierName + ".bias"])
    return checkpoint.tensors.names.first {
      !expected.contains($0) && !$0.hasSuffix(".num_batches_tracked")
    }
  }

  /// Whether every tensor of the network is there, and none besides.
  var fits: Bool {
    let network = kind.network(names: WeightNames(checkpoint))
    return firstUnexpected(network) == nil
      && network.units.allSatisfy { unit in
        unit.tensorShapes.allSatisfy { name, shape in checkpoint[name]?.shape == shape }
      }
  }

  private func misfit(_ what: String) -> CheckpointError {
    let fitting = BackboneKind.allCases.first {
      $0 != kind && WeightReader(checkpoint, path: path, kind: $0).fits
    }
    let remedy =
      fitting.map { "These are weights of \($0): choose that backbone, or give weights of \(kind)" }
      ?? "These seem to be weights of another network: give a state dictionary of \(kind), with \(kind.nameSources)"
    return CheckpointError(path: path, what: what, remedy: remedy)
  }

  private func damage(_ what: String) -> CheckpointError {
    CheckpointError(path: path, what: what, remedy: "The weights are damaged: fetch them again")
  }
}

extension Convolution {
  /// The shapes of its tensors by their names.
  var tensorShapes: [String: [Int]] {
    var shapes = [name + ".weight": weightShape]
    for suffix in ["weight", "bias", "running_mean", "running_var"] {
      shapes["\(norm).\(suffix)"] = [outputs]
    }
    return shapes
  }
}

extension BackboneKind {
  /// The network whose weights these are, told by the tensors' names and shapes.
  static func fitting(_ checkpoint: Checkpoint) -> BackboneKind? {
    allCases.first { WeightReader(checkpoint, path: "", kind: $0).fits }
  }
}
