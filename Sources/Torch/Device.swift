import CTorch

/// Where a tensor lies and is computed with.
public enum Device: Sendable, Hashable, CustomStringConvertible {
  case cpu
  /// An NVIDIA GPU, by its number.
  case cuda(Int)

  /// How many GPUs the engine can use: none where its libtorch was built without CUDA, or no driver is there.
  public static var gpuCount: Int { Int(Engine.functions.gpu_count()) }

  /// Free bytes of memory; nil for the CPU, and where that cannot be told.
  public var freeMemory: Int? {
    guard case .cuda(let number) = self else { return nil }
    let bytes = Int(Engine.functions.gpu_free_memory(Int32(number)))
    return bytes < 0 ? nil : bytes
  }

  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let number): "cuda:\(number)"
    }
  }

  /// The engine's number of it.
  var code: Int32 {
    switch self {
    case .cpu: -1
    case .cuda(let number): Int32(number)
    }
  }
}

extension Tensor {
  /// Where the elements lie.
  public var device: Device {
    let code = Engine.functions.device(handle)
    return code < 0 ? .cpu : .cuda(Int(code))
  }

  /// The tensor on a device; itself where it lies there already.
  public func to(_ device: Device) -> Tensor {
    device == self.device ? self : Tensor.wrap("to", Engine.functions.to_device(handle, device.code))
  }
}
