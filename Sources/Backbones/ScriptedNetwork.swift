import Foundation
import Torch

/// Somebody's network as a TorchScript program, such as `Scripts/export-network` writes.
///
/// `cleannet.json` inside the file says what the program wants: `{"size": 224, "mean": […], "deviation": […], "name":
/// …}`, mean and deviation of pixels from 0 to 1; `"pixels": true` where the program normalizes pixels from 0 to 255
/// itself. The program takes `[N, 3, size, size]` and gives features `[N, D]`, maps `[N, D, h, w]` or tokens `[N, T,
/// D]`, class token first.
package struct ScriptedNetwork: FeatureNetwork {
  package let name: String
  package let inputSize: Int
  package let dtype: DType
  package let featureDimension: Int
  /// nil: the program normalizes pixels itself.
  let normalization: PixelNormalization?
  private let pooling: Pooling
  private let program: ScriptedProgram
  private let device: Device
  private let gpu: GPUSlices?

  private struct About: Decodable {
    var name: String?
    var size: Int?
    var mean: [Double]?
    var deviation: [Double]?
    var pixels: Bool?
    /// A classifier that `cleannet classify export` wrote.
    var classes: [String]?
  }

  /// Opens a program and runs it on two made-up images, which shows what it gives and that it takes batches.
  ///
  /// - Parameter size: nil: what the file says.
  /// - Throws: ``CheckpointError`` where it cannot be loaded or run, or says nothing about a size and none is given.
  package init(
    path: String, size: Int?, pooling: Pooling = .auto, precision: Precision = .auto, device: Device = .cpu
  ) throws(CheckpointError) {
    var wanted = precision.dtype(on: device)
    var program: ScriptedProgram
    do throws(CheckpointError) {
      program = try ScriptedProgram(path: path, dtype: wanted, device: device)
    } catch {
      guard precision == .auto, wanted != .float32 else { throw error }
      wanted = .float32
      program = try ScriptedProgram(path: path, dtype: wanted, device: device)
    }
    let about = try? JSONDecoder().decode(About.self, from: program.about)
    guard let side = size ?? about?.size else {
      throw CheckpointError(
        path: path, what: "the program does not say what size of images it takes",
        remedy: "Give --size, or export it by Scripts/export-network, which writes it into the file")
    }
    let pixels = about?.pixels ?? (about?.classes != nil)
    var normalization: PixelNormalization? = pixels ? nil : .imageNet
    if !pixels, let mean = about?.mean, let deviation = about?.deviation, mean.count == 3,
      deviation.count == 3,
      deviation.allSatisfy({ $0 > 0 })
    {
      normalization = PixelNormalization(mean: mean.map { 255 * $0 }, deviation: deviation.map { 255 * $0 })
    }
    func result(_ program: ScriptedProgram, _ dtype: DType) throws(CheckpointError) -> Tensor {
      let pattern = Tensor.arange(2 * side * side * 3).reshaped([2, side, side, 3]).to(.uint8)
      return try Self.run(program, pattern, normalization, dtype, pooling, device, path: path)
    }
    var features: Tensor
    do throws(CheckpointError) {
      features = try result(program, wanted)
    } catch {
      // Some programs name float32 inside, and cannot compute in another type.
      guard precision == .auto, wanted != .float32 else { throw error }
      wanted = .float32
      program = try ScriptedProgram(path: path, dtype: wanted, device: device)
      features = try result(program, wanted)
    }
    self.program = program
    self.normalization = normalization
    self.pooling = pooling
    self.device = device
    gpu = GPUSlices.ifNeeded(on: device, size: side)
    name = about?.name ?? URL(fileURLWithPath: path).lastPathComponent
    inputSize = side
    dtype = wanted
    featureDimension = features.size(1)
  }

  package func features(_ pixels: Tensor) -> Tensor {
    bySlices(pixels, of: 8, on: gpu) { images in
      do throws(CheckpointError) {
        return try Self.run(program, images, normalization, dtype, pooling, device, path: name)
      } catch {
        // Where memory was too small, the result has a shape of its own, and counts for nothing.
        if isShortOfMemory { return images }
        // It has run on such images when it was opened.
        preconditionFailure("\(error)")
      }
    }
  }

  private static func run(
    _ program: ScriptedProgram, _ pixels: Tensor, _ normalization: PixelNormalization?, _ dtype: DType,
    _ pooling: Pooling, _ device: Device, path: String
  ) throws(CheckpointError) -> Tensor {
    let images = pixels.to(device)
    let input =
      normalization.map { $0(images, dtype: dtype) } ?? images.to(dtype).permuted([0, 3, 1, 2])
    let output = withoutGradients { () -> Result<Tensor, CheckpointError> in
      Result { () throws(CheckpointError) in try program(input.contiguous()) }
    }
    let result = try output.get().to(.float32)
    guard result.rank >= 2, result.size(0) == pixels.size(0) else {
      throw CheckpointError(
        path: path,
        what:
          "the program returns \(result.shape) for a batch of \(pixels.size(0)) images, not one row per image",
        remedy: "Export it for batches of any size: Scripts/export-network")
    }
    return try pooled(result, pooling, path: path).to(.cpu)
  }

  /// `[N, D]`, maps `[N, D, h, w]`, or tokens `[N, T, D]`.
  private static func pooled(
    _ result: Tensor, _ pooling: Pooling, path: String
  ) throws(CheckpointError) -> Tensor {
    switch result.rank {
    case 2: return result
    case 4:
      return result.reshaped([result.size(0), result.size(1), -1]).mean(dim: 2)
    case 3:
      let token = result.select(dim: 1, index: 0)
      switch pooling {
      case .auto, .token: return token
      case .mean: return result.mean(dim: 1)
      case .both: return .concatenate([token, result.mean(dim: 1)], dim: 1)
      }
    default:
      throw CheckpointError(
        path: path,
        what: "the program's result of shape \(result.shape) is neither features nor maps nor tokens",
        remedy: "Export it with a head that gives one row per image: Scripts/export-network")
    }
  }
}
