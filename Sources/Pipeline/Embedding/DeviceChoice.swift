import Torch

/// On what networks run, as users name it: `auto`, `cpu`, `cuda` or `cuda:1`.
package enum DeviceChoice: Sendable, Hashable {
  /// The first GPU that the engine can use, else the CPU.
  case auto
  case cpu
  case cuda(Int)

  /// - Parameter text: nil is returned where it names no device.
  package init?(_ text: String) {
    switch text {
    case "auto": self = .auto
    case "cpu": self = .cpu
    case "cuda": self = .cuda(0)
    default:
      guard text.hasPrefix("cuda:"), let number = Int(text.dropFirst(5)), number >= 0 else { return nil }
      self = .cuda(number)
    }
  }

  /// The device that is meant on this machine.
  ///
  /// - Throws: ``PipelineError`` where a GPU was asked for and the engine has none of that number: never is another device
  ///   taken in its place.
  package func device() throws(PipelineError) -> Device {
    let count = Device.gpuCount
    switch self {
    case .cpu: return .cpu
    case .auto: return count > 0 ? .cuda(0) : .cpu
    case .cuda(let number):
      guard count > 0 else {
        throw PipelineError(
          .missingComponent, "The compute engine (libtorch \(Engine.version)) can use no GPU",
          remedy:
            "Check the driver with nvidia-smi. Debian's libtorch has no CUDA: install a PyTorch that has, and run "
            + "\(ShippedScript.buildEngine.command). Or leave --device out")
      }
      guard number < count else {
        throw PipelineError(
          .badInput, "There is no GPU of number \(number): the engine sees \(count), from 0",
          remedy: "Give --device cuda:\(count - 1), or see nvidia-smi")
      }
      return .cuda(number)
    }
  }
}
