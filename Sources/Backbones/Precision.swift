import Torch

/// The numbers that a network computes with, by their names on the command line.
package enum Precision: String, Sendable, Hashable, Codable, CaseIterable {
  /// bfloat16 where the processor multiplies it natively, else float32.
  case auto
  /// 32-bit floating point.
  case float32 = "f32"
  /// 16-bit floating point with float32's range and 8 bits of precision; sums are kept in float32.
  case bfloat16 = "bf16"

  /// The type that is meant on this machine.
  package var dtype: DType {
    switch self {
    case .auto: Precision.processorHasBFloat16 ? .bfloat16 : .float32
    case .float32: .float32
    case .bfloat16: .bfloat16
    }
  }

  /// The type that is meant on a device: GPUs of the last years multiply bfloat16 natively.
  package func dtype(on device: Device) -> DType {
    self == .auto && device != .cpu ? .bfloat16 : dtype
  }

  /// Whether the processor multiplies bfloat16 natively.
  package static var processorHasBFloat16: Bool { Processor.hasBFloat16 }
}
