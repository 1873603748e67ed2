import Torch

/// Takes the tensors of a foreign network out of a file, with errors that name the file and the missing tensor.
struct NetworkTensors {
  let path: String
  /// The network's name in errors: "a vision transformer".
  let what: String
  private let tensors: [String: StoredTensor]

  /// - Throws: where the file holds tensors that have no place in the network: it computes something else then.
  init(_ renamed: RenamedTensors, path: String, what: String) throws(CheckpointError) {
    self.path = path
    self.what = what
    tensors = renamed.tensors
    guard renamed.unknown.isEmpty else {
      throw CheckpointError(
        path: path,
        what:
          "it looks like \(what), but \(Self.listed(renamed.unknown)) \(renamed.unknown.count == 1 ? "has" : "have") "
          + "no place in it",
        remedy: NetworkFile.exportRemedy)
    }
  }

  /// Throws one error for all of the tensors that are not there.
  func require(_ names: [String]) throws(CheckpointError) {
    let missing = names.filter { tensors[$0] == nil }
    guard missing.isEmpty else {
      throw CheckpointError(
        path: path, what: "it looks like \(what), but lacks \(Self.listed(missing)) (names as in timm)",
        remedy: "Give the complete file of weights. \(NetworkFile.exportRemedy)")
    }
  }

  func has(_ name: String) -> Bool { tensors[name] != nil }
  func shape(_ name: String) -> [Int]? { tensors[name]?.shape }

  /// A tensor as float32; nil where there is none.
  func optional(_ name: String) throws(CheckpointError) -> Tensor? {
    guard let stored = tensors[name] else { return nil }
    switch stored.dtype {
    case .float64, .float32, .float16, .bfloat16: break
    case .int64, .int32, .int16, .int8, .uint8, .bool:
      throw CheckpointError(
        path: path,
        what: "its tensor \(name) holds \(stored.dtype.rawValue) numbers, as quantised weights do",
        remedy: "Give weights in floating point")
    }
    let tensor = Tensor(stored).to(.float32)
    guard tensor.count == 0 || tensor.isFinite().to(.float32).reshaped([-1]).amin(dim: 0).item == 1 else {
      throw CheckpointError(
        path: path, what: "its tensor \(name) holds numbers that are not finite",
        remedy: "The weights are damaged: fetch them again")
    }
    return tensor
  }

  /// A tensor as float32, given another shape of as many elements.
  ///
  /// - Parameter shape: −1 in one place: whatever is left.
  func tensor(_ name: String, _ shape: [Int]) throws(CheckpointError) -> Tensor {
    try require([name])
    guard let tensor = try optional(name) else { preconditionFailure("\(name) is there") }
    let known = shape.filter { $0 >= 0 }.reduce(1, *)
    let fits = shape.contains(-1) ? known > 0 && tensor.count % known == 0 : tensor.count == known
    guard fits else {
      throw CheckpointError(
        path: path, what: "its tensor \(name) has the shape \(tensor.shape), where \(shape) is needed",
        remedy: NetworkFile.exportRemedy)
    }
    return tensor.reshaped(shape)
  }

  /// "'a', 'b' and 7 others".
  private static func listed(_ names: [String]) -> String {
    let shown = names.prefix(4).map { "'\($0)'" }.joined(separator: ", ")
    return names.count > 4 ? "\(shown) and \(names.count - 4) others" : shown
  }
}
