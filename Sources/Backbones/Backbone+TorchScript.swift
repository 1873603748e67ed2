import Torch

extension Backbone {
  /// Writes the network with its classifier as TorchScript: a module whose `forward` takes pixels `[N, 3, size, size]`, red,
  /// green, blue, 0 to 255, of any type, and gives logits `[N, K]`, float32. Normalization is part of it, batch norm is
  /// folded in.
  ///
  /// - Parameters:
  ///   - size: the images' height and width; padding is decided by it.
  ///   - about: JSON that is kept beside the program as `cleannet.json`.
  /// - Precondition: the network computes in float32, and the weights have a classifier.
  /// - Returns: the number of tensors in it.
  /// - Throws: ``CheckpointError`` where the file cannot be written.
  @discardableResult
  package func writeTorchScript(to path: String, size: Int, about: String) throws(CheckpointError) -> Int {
    precondition(dtype == .float32, "other runtimes are given float32 programs")
    guard let classifier else { preconditionFailure("the weights have no classifier") }
    let scale = kind.normalization.scale.reshaped([3, 1, 1])
    let offset = kind.normalization.offset.reshaped([3, 1, 1])
    let parameters =
      [("scale", scale), ("offset", offset)] + network.units.flatMap(\.parameters)
      + classifier.parameters.map { ("classifier_" + $0.name, $0.tensor) }
    let generator = Generator(seed: 0)
    func images(_ count: Int) -> Tensor { generator.uniform([count, 3, size, size], high: 256).to(.uint8) }
    try TorchScript.write(
      to: path, parameters: parameters, about: about, example: images(2), check: images(3)
    ) { pixels in
      let maps = network((pixels.to(.float32) * scale + offset).channelsLast())
      // Without the sizes of the batch and of the maps, which recording would fix.
      return classifier(maps.mean(dim: 3).mean(dim: 2))
    }
    return parameters.count
  }
}
