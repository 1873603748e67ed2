import Foundation

// Between the engine's tensors and those of a file.

extension Tensor {
  /// A copy of a stored tensor, of its own type where the engine has it, else float32 (`int16`, `int8`).
  public convenience init(_ stored: StoredTensor) {
    guard let dtype = DType(stored.dtype) else {
      // Integers of 16 bits always fit in float32.
      self.init((try? stored.floats()) ?? [], shape: stored.shape)
      return
    }
    self.init(
      handle: stored.bytes.withUnsafeBytes { Tensor.copiedHandle($0, shape: stored.shape, dtype: dtype) })
  }

  /// The tensor as a file would hold it.
  public var stored: StoredTensor {
    let plain = detached().to(Device.cpu).contiguous()
    return StoredTensor(
      dtype: plain.dtype.stored, shape: plain.shape, bytes: plain.withUnsafeBytes { Data($0) })
  }
}

extension Checkpoint {
  /// A file's content of named tensors, whose names must differ.
  public init(_ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:]) {
    self.init(metadata: metadata)
    for (name, tensor) in tensors {
      let isNew = self.tensors.append(tensor.stored, named: name)
      precondition(isNew, "two tensors are named \(name)")
    }
  }

  /// The tensors, copied, by name.
  public var tensorsByName: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, Tensor($0.tensor)) })
  }
}

extension DType {
  init?(_ stored: StoredDType) {
    switch stored {
    case .float64: self = .float64
    case .float32: self = .float32
    case .float16: self = .float16
    case .bfloat16: self = .bfloat16
    case .int64: self = .int64
    case .int32: self = .int32
    case .uint8: self = .uint8
    case .bool: self = .bool
    case .int16, .int8: return nil
    }
  }

  var stored: StoredDType {
    switch self {
    case .uint8: .uint8
    case .int32: .int32
    case .int64: .int64
    case .float16: .float16
    case .float32: .float32
    case .float64: .float64
    case .bool: .bool
    case .bfloat16: .bfloat16
    }
  }
}
