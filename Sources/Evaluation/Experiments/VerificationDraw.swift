import Torch

/// Which images are verified in an experiment: this many, at random, of each of some classes.
package struct VerificationDraw: Sendable, Hashable, Codable {
  package enum Classes: Sendable, Hashable, Codable {
    /// So many classes, drawn anew by each seed.
    case count(Int)
    /// These, by number.
    case fixed([Int])
  }

  package var classes: Classes
  /// Images of each class; all of a class that has fewer.
  package var perClass: Int

  package init(classes: Classes, perClass: Int) {
    self.classes = classes
    self.perClass = perClass
  }

  /// The verdicts that a person who knows the truth would give.
  ///
  /// - Parameters:
  ///   - labels: Each image's noisy label; negative for images that take no part.
  ///   - truth: Per image whether its label is right; nil where nobody knows: such images are not drawn.
  /// - Returns: The verified classes, ascending, and image → label is right.
  package func draw(
    labels: [Int], truth: [Bool?], seed: UInt64
  ) -> (classes: [Int], verdicts: [Int: Bool]) {
    var members: [Int: [Int]] = [:]
    for (image, label) in labels.enumerated() where label >= 0 && truth[image] != nil {
      members[label, default: []].append(image)
    }
    var random = SplitMix64(seed: seed &+ 0x51_3D)
    let chosen: [Int] =
      switch classes {
      case .count(let count): members.keys.sorted().shuffled(using: &random).prefix(count).sorted()
      case .fixed(let numbers): numbers.filter { members[$0] != nil }.sorted()
      }
    var verdicts: [Int: Bool] = [:]
    for label in chosen {
      for image in (members[label] ?? []).shuffled(using: &random).prefix(perClass) {
        verdicts[image] = truth[image]
      }
    }
    return (chosen, verdicts)
  }
}
