import Torch

/// A person's answer to "is this image's label right?".
public struct VerificationLabel: Sendable, Hashable, Codable {
  /// The image, by its row.
  public var image: Int
  public var isRight: Bool
  /// The rate at which the person gives the opposite answer by mistake, from 0 to below ½.
  public var slipRate: Double

  public init(image: Int, isRight: Bool, slipRate: Double = 0) {
    precondition((0..<0.5).contains(slipRate), "a person who is mistaken half of the time says nothing")
    self.image = image
    self.isRight = isRight
    self.slipRate = slipRate
  }
}

/// A fault in data that a model is to be trained from, or is to judge.
public enum TrainingDataError: Error, Sendable, Equatable, CustomStringConvertible {
  case noSuchClass(Int, image: Int, classes: Int)
  case noSuchImage(Int, images: Int)
  case noProbabilities(source: Int, image: Int)
  case tooFewClasses(Int)

  public var description: String {
    switch self {
    case .noSuchClass(let label, let image, let classes):
      "Image \(image) has the label \(label), but there are \(classes) classes. Count classes from 0; a negative label leaves "
        + "an image out."
    case .noSuchImage(let image, let images):
      "A verdict is about image \(image), but there are \(images) images. Count images from 0."
    case .noProbabilities(let source, let image):
      "Evidence \(source) has a negative or missing probability for image \(image). Give probabilities, one row per image; "
        + "give equal ones if the other model knows nothing."
    case .tooFewClasses(let found):
      "Images with finite features have \(found) different labels. At least two classes are needed: check the features for NaN."
    }
  }
}

/// The data that a model is trained from: images, their noisy labels, and verification labels of some.
public struct TrainingSet: Sendable {
  public let features: any FeatureSource
  /// Each image's noisy label, 0..<classes; negative for images that take no part (no features, or a test split).
  public let labels: [Int]
  public let classes: Int
  /// Every image at most once, and none that takes no part.
  public private(set) var verifications: [VerificationLabel]
  /// For each class the images that carry its label.
  public private(set) var members: [[Int]]
  /// How far each class is held to be an image's true one; nil: as the noisy labels say. Only the extended objective asks.
  let beliefs: ClassVotes?
  /// Each image's class according to other models: probabilities, `[N, C]` each, by models that were not trained on its
  /// label. Only the extended objective uses them.
  public let evidence: [Tensor]

  /// - Parameters:
  ///   - features: Of N images.
  ///   - labels: N class numbers below `classes`; negative for images that take no part.
  ///   - verifications: Of images that take part; others are left out, and of several on one image the first counts.
  ///   - evidence: Probabilities `[N, C]` by models that were not trained on the labels of these images.
  /// - Throws: ``TrainingDataError`` if a number is out of its range. Wrong shapes trap.
  public init(
    features: any FeatureSource, labels: [Int], classes: Int, verifications: [VerificationLabel],
    evidence: [Tensor] = []
  ) throws(TrainingDataError) {
    try Self.check(labels, classes: classes)
    for verification in verifications where !labels.indices.contains(verification.image) {
      throw .noSuchImage(verification.image, images: labels.count)
    }
    for (place, source) in evidence.enumerated() {
      precondition(source.shape == [labels.count, classes], "evidence is probabilities [N, C]")
      let least = withoutGradients {
        source.isFinite().select(source, else: .full([1], -1)).amin(dim: 1).floats()
      }
      if let image = labels.indices.first(where: { labels[$0] >= 0 && least[$0] < 0 }) {
        throw .noProbabilities(source: place, image: image)
      }
    }
    self.init(
      sound: features, labels: labels, classes: classes, verifications: verifications, evidence: evidence)
  }

  /// From data that are known to be in range; others trap.
  package init(
    sound features: any FeatureSource, labels: [Int], classes: Int, verifications: [VerificationLabel],
    evidence: [Tensor] = []
  ) {
    self.init(
      features: features, labels: labels, classes: classes, verifications: verifications, beliefs: nil,
      evidence: evidence)
  }

  static func check(_ labels: [Int], classes: Int) throws(TrainingDataError) {
    guard let image = labels.firstIndex(where: { $0 >= classes }) else { return }
    throw .noSuchClass(labels[image], image: image, classes: classes)
  }

  /// - Throws: ``TrainingDataError`` if fewer than two classes have images with finite features.
  func checkClasses() throws(TrainingDataError) {
    let found = Set(FeatureSpace.images(of: self).lazy.map { labels[$0] })
    if found.count < 2 { throw .tooFewClasses(found.count) }
  }

  init(
    features: any FeatureSource, labels: [Int], classes: Int, verifications: [VerificationLabel],
    beliefs: ClassVotes?, evidence: [Tensor] = []
  ) {
    precondition(
      evidence.allSatisfy { $0.shape == [labels.count, classes] }, "evidence is probabilities [N, C]")
    precondition(labels.count == features.count, "\(labels.count) labels for \(features.count) images")
    precondition(labels.allSatisfy { $0 < classes }, "a label is not below the number of classes")
    self.features = features
    self.labels = labels
    self.classes = classes
    self.beliefs = beliefs
    self.evidence = evidence
    var members = [[Int]](repeating: [], count: classes)
    for (image, label) in labels.enumerated() where label >= 0 { members[label].append(image) }
    self.members = members
    var seen = Set<Int>()
    self.verifications = verifications.filter { labels[$0.image] >= 0 && seen.insert($0.image).inserted }
  }

  /// The set without the members and the verified images that `isExcluded` names. Rows and labels stay.
  func excluding(_ isExcluded: (Int) -> Bool) -> TrainingSet {
    var set = self
    set.members = members.map { $0.filter { !isExcluded($0) } }
    set.verifications = verifications.filter { !isExcluded($0.image) }
    return set
  }

  /// For each class the images that carry its label and are more likely than not to belong to it: without beliefs, or
  /// where none is left, all that carry it. Noise that was found is kept out of reference sets.
  var believedMembers: [[Int]] {
    guard let beliefs else { return members }
    return members.enumerated().map { label, images in
      let believed = images.filter { beliefs.share($0, of: label) >= 0.5 }
      return believed.isEmpty ? images : believed
    }
  }

  /// Splits the verified images: `share` of each class's right and of its wrong ones is held out for validation.
  ///
  /// The split is seeded and stratified. A single image is not held out.
  public func splitVerifications(
    share: Double, seed: UInt64
  ) -> (training: [VerificationLabel], validation: [VerificationLabel]) {
    var random = SplitMix64(seed: seed &+ 0x5EED)
    var training = [VerificationLabel]()
    var validation = [VerificationLabel]()
    let strata = Dictionary(grouping: verifications) { [labels[$0.image], $0.isRight ? 1 : 0] }
    for (_, stratum) in strata.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      let order = stratum.sorted { $0.image < $1.image }.shuffled(using: &random)
      // Rounded at random, so that strata of two or three images count too.
      let exact = share * Double(order.count)
      let count = min(
        order.count - 1,
        Int(exact) + (Double.random(in: 0..<1, using: &random) < exact - exact.rounded(.down) ? 1 : 0))
      validation += order.prefix(max(0, count))
      training += order.dropFirst(max(0, count))
    }
    return (training.sorted { $0.image < $1.image }, validation.sorted { $0.image < $1.image })
  }
}
