import Backbones
import Images

/// How a network is fine-tuned.
package struct FineTuningRecipe: Sendable, Hashable, Codable {
  package enum Optimization: String, Sendable, Hashable, Codable, CaseIterable {
    case sgd
    case adamw
  }

  /// Passes over the images that count.
  package var epochs = 5
  /// Images per batch, whose statistics batch norm sees.
  package var batchSize = 32
  /// Batches whose gradients are added up for one step.
  package var accumulation = 1
  package var optimization = Optimization.adamw
  /// Of the backbone, after the warm-up; nil: ``usualRate``.
  package var learningRate: Double?
  /// How many times faster the head learns, which starts from nothing.
  package var headFactor = 10.0
  /// Not of biases and batch norms.
  package var weightDecay = 0.01
  /// The share of all steps in which the rate rises to its height; from there it falls by half a cosine.
  package var warmup = 0.1
  /// The share of a target that is spread over all classes.
  package var labelSmoothing = 0.1
  /// α of the Beta distribution by which two images are mixed (Zhang et al. 2018), at most 1; 0: none are.
  package var mixup = 0.0
  /// The decay of the moving average of weights that is validated and kept; 0: the weights themselves are.
  package var averaging = 0.99
  package var batchNorm = BatchNormMode.train
  /// How many of the last stages learn; nil: all of the network; 0: the head alone.
  package var trainedStages: Int?
  package var precision = Precision.auto
  /// nil: images are seen whole, in their middle, each time alike.
  package var augmentation: Augmentation? = Augmentation()
  package var seed: UInt64 = 0

  package init() {}

  /// The usual learning rate of fine-tuning: large enough for ten epochs, small enough to keep what the network knows.
  package static func usualRate(_ optimization: Optimization) -> Double {
    switch optimization {
    case .sgd: 0.01
    case .adamw: 2e-4
    }
  }

  var rate: Double { learningRate ?? Self.usualRate(optimization) }
}
