import CleanNet
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
          .missingComponent, "The compute engine (libtorch \(Engine.version)) cannot use a GPU",
          remedy:
            "Check the driver with nvidia-smi. Debian's libtorch has no CUDA: install a PyTorch with CUDA, and run "
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

extension DeviceChoice {
  /// Where the neighbors of a data set's images are searched: on a GPU if one was named and its memory is large enough. For
  /// `auto` the CPU's lists, which are as fast (docs/networks.md).
  func forNeighbors(of data: LabeledFeatures, _ progress: some ProgressReporter) throws -> Device {
    guard self != .auto else { return .cpu }
    let device = try device()
    let dimension = min(data.features.dimension, PrincipalComponents.maximumDimension)
    let needed = NeighborSearch.gpuBytes(data.labels.count, dimension: dimension)
    guard let free = device.freeMemory, needed > free else { return device }
    progress.warn(
      "The free memory of \(device), \(free >> 20) MB, is too small to search the neighbors of \(data.labels.count) images "
        + "(\(needed >> 20) MB): the CPU does it")
    return .cpu
  }
}
