import Foundation
import Images
import Torch

/// The images that a network is fine-tuned on: examples 0, 1, ….
package struct FineTuningData: Sendable {
  /// Writes the pixels of an example, `[size, size, 3]`; called from several threads. Without an augmentation always the
  /// same ones.
  package typealias Decode =
    @Sendable (
      _ example: Int, _ place: UnsafeMutableRawBufferPointer, _ augmentation: Augmentation?, _ seed: UInt64
    ) throws(ImageProblem) -> Void

  package var labels: [Int]
  package var weights: SampleWeights
  package var classes: Int
  /// Examples that are validated on instead of trained on.
  package var validation: [Int]
  package var preparation: ImagePreparation
  package var decode: Decode

  package init(
    labels: [Int], weights: SampleWeights, classes: Int, validation: [Int], preparation: ImagePreparation,
    decode: @escaping Decode
  ) {
    precondition(weights.count == labels.count, "one weight a label")
    self.labels = labels
    self.weights = weights
    self.classes = classes
    self.validation = validation
    self.preparation = preparation
    self.decode = decode
  }

  /// The examples that are trained on: all that count, without the validation examples.
  var training: [Int] {
    let held = Set(validation)
    return labels.indices.filter { weights.total($0) > 0 && !held.contains($0) }
  }

  /// How many are trained on.
  package var trainingCount: Int { training.count }

  /// Batches of some examples, in order; indices are places among `examples`.
  func loader(
    _ examples: [Int], batchSize: Int, threads: Int, augmentation: Augmentation?,
    seed: @escaping @Sendable (Int) -> UInt64 = { UInt64($0) }
  ) -> BatchLoader {
    BatchLoader(
      count: examples.count, preparation: preparation, batchSize: batchSize, threads: threads
    ) { [decode] (place, pixels) throws(ImageProblem) in
      try decode(examples[place], pixels, augmentation, seed(examples[place]))
    }
  }
}

extension ImageBatch {
  /// `[count, size, size, 3]`, uint8, copied.
  package var pixels: Tensor {
    let side = preparation.size
    return withUnsafePixels { Tensor(copying: $0, shape: [count, side, side, 3], dtype: .uint8) }
  }
}

/// Seeds that differ in every epoch and for every image, and are the same after an interruption.
struct Seeds: Sendable {
  let seed: UInt64

  func mixed(_ parts: UInt64...) -> UInt64 {
    parts.reduce(seed) { state, part in
      var random = SplitMix64(seed: state ^ (part &* 0xD6E8_FEB8_6659_FD93))
      return random.next()
    }
  }
}
