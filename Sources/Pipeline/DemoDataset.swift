import Datasets
import Foundation
import Torch

/// Real images with label noise that is known: the first images of Fashion-MNIST (Xiao et al. 2017), of which a share
/// gets the label of a class that is easily taken for it.
///
/// The set's own labels stay as the attribute ``truthColumn``, which only simulation and evaluation look at.
package struct DemoDataset: DatasetFormat {
  package static let name = "demo"
  package static let summary = "Fashion-MNIST with injected label noise"
  /// Where Debian's package `dataset-fashion-mnist` puts the set.
  package static let folder = "/usr/share/datasets/fashion-mnist"
  package static let truthColumn = "true_label"
  package static let images = 12_000
  package static let noise = 0.3
  private static let seed: UInt64 = 2018

  package static let classNames = [
    "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  /// For each class the classes that hasty people, or crawlers, confuse it with.
  private static let confusable = [
    "T-shirt": ["Shirt", "Dress"], "Trouser": ["Dress", "Bag"], "Pullover": ["Coat", "Shirt"],
    "Dress": ["T-shirt", "Trouser"], "Coat": ["Pullover", "Shirt"], "Sandal": ["Sneaker", "Bag"],
    "Shirt": ["T-shirt", "Pullover"], "Sneaker": ["Sandal", "Ankle boot"], "Bag": ["Sandal", "Pullover"],
    "Ankle boot": ["Sneaker", "Sandal"],
  ]

  private let clean: Dataset

  package static func detect(_ source: DatasetSource) -> Bool { false }

  package init(source: DatasetSource, options: DatasetOptions) {
    var options = options
    options.classNames = Self.classNames
    clean = Dataset(format: IDXFolder(source: source, options: options))
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    var random = SplitMix64(seed: Self.seed)
    var count = 0
    try clean.read { sample in
      guard sample.split == "train", count < Self.images else { return }
      count += 1
      var sample = sample
      sample.attributes.append(SampleAttribute(name: Self.truthColumn, value: sample.label))
      if Double.random(in: 0..<1, using: &random) < Self.noise,
        let wrong = Self.confusable[sample.label]?.randomElement(using: &random)
      {
        sample.label = wrong
      }
      try each(sample)
    }
    return DatasetSummary(samples: count)
  }
}
