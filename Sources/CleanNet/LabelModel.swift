import Torch

/// A trained model: judges the labels of the images that it was trained on, and of new ones.
///
/// ```swift
/// var model = try await LabelModel(training: data)
/// for judgement in model.judgements() where judgement.isRight == false { print(judgement.image) }
/// model.verifications += more                             // no training: it takes milliseconds
/// let new = try model.judge(features, labels: [3, 7])     // images that were not trained on
/// try model.save(to: "labels.safetensors")
/// ```
///
/// It consists of the parts that ``Training`` gives with the extended objective. ``TrainingRun`` trains one and
/// reports its progress.
public struct LabelModel: Sendable {
  /// The evidence of features and noisy labels on the training images.
  public let evidence: LabelEvidence
  /// The verdicts that weigh the evidence. Verdicts on images without evidence are ignored.
  public var verifications: [VerificationLabel] {
    didSet { verdicts = Self.verdicts(verifications, evidence) }
  }

  /// Judges new images.
  package let judge: LabelJudge
  /// N, the number of images of the training set.
  public let imageCount: Int
  private var verdicts: VerdictModel

  public var classes: Int { judge.classes }
  /// D, the dimension of the features.
  public var featureDimension: Int { judge.featureDimension }

  init(
    evidence: LabelEvidence, judge: LabelJudge, verifications: [VerificationLabel], imageCount: Int
  ) {
    self.evidence = evidence
    self.judge = judge
    self.verifications = verifications
    self.imageCount = imageCount
    verdicts = Self.verdicts(verifications, evidence)
  }

  private static func verdicts(
    _ verifications: [VerificationLabel], _ evidence: LabelEvidence
  ) -> VerdictModel {
    VerdictModel(evidence, verdicts: evidence.verdicts(verifications))
  }

  /// Judges the label of every training image, `imageCount` of them. Each verified image is judged without its own verdict.
  public func judgements() -> Judgements {
    Judgements(evidence, verifications: verifications, count: imageCount)
  }

  /// Judges the labels of images that were not trained on.
  ///
  /// - Parameters:
  ///   - features: From the same network as those of training: `[n, D]`.
  ///   - labels: n class numbers; negative where there is no label, for a suggested class only.
  ///   - neighbors: How many of the most similar training images to name for each image.
  /// - Returns: One judgement per image. Images without finite features have none.
  /// - Throws: ``TrainingDataError`` if a label is no class of the model.
  public func judge(
    _ features: Tensor, labels: [Int], neighbors: Int = 0
  ) throws(TrainingDataError) -> Judgements {
    try TrainingSet.check(labels, classes: classes)
    return judge.judge(features, labels: labels.map { max(-1, $0) }, verdicts: verdicts, neighbors: neighbors)
  }
}

// MARK: As a file

extension LabelModel {
  private static let metadataKey = "label-model"
  private static let evidencePrefix = "evidence."

  /// Everything that is not a tensor.
  private struct About: Codable {
    var imageCount: Int
    var verifications: [VerificationLabel]
  }

  /// Writes everything that judging needs into one file, safetensors, which replaces a file of that name at once.
  ///
  /// - Throws: `CheckpointError` if it cannot be written.
  public func save(to path: String) throws {
    var file = try judge.model.checkpoint()
    file.add(try judge.checkpoint())
    file.add(try evidence.checkpoint(), prefix: Self.evidencePrefix)
    try file.set(About(imageCount: imageCount, verifications: verifications), key: Self.metadataKey)
    try SafeTensors.write(tensors: file.tensors, metadata: file.metadata, to: path)
  }

  /// Reads a file that ``save(to:)`` wrote.
  ///
  /// - Throws: `CheckpointError` if the file cannot be read; ``ModelError`` or `ParameterError` if it holds no such model.
  public init(path: String) throws {
    let file = try Checkpoint.read(path: path)
    let about = try file.required(About.self, key: Self.metadataKey)
    let evidence = try LabelEvidence(file.part(Self.evidencePrefix))
    guard evidence.images.allSatisfy({ $0 < about.imageCount }),
      about.verifications.allSatisfy({ (0..<0.5).contains($0.slipRate) })
    else { throw ModelError.otherVersion("its numbers do not fit together") }
    let judge = try LabelJudge(file, model: CleanNetModel(file))
    guard judge.classes == evidence.classes else {
      throw ModelError.otherVersion("its parts have different classes")
    }
    self.init(
      evidence: evidence, judge: judge, verifications: about.verifications, imageCount: about.imageCount)
  }
}

extension Checkpoint {
  /// Adds what another one holds, under names that begin with `prefix`.
  package mutating func add(_ other: Checkpoint, prefix: String = "") {
    metadata.merge(other.metadata) { first, _ in first }
    for (name, tensor) in other.tensors { tensors.append(tensor, named: prefix + name) }
  }

  /// The tensors whose names begin with `prefix`, without it, and all metadata.
  func part(_ prefix: String) -> Checkpoint {
    var part = Checkpoint(metadata: metadata)
    for (name, tensor) in tensors where name.hasPrefix(prefix) {
      part.tensors.append(tensor, named: String(name.dropFirst(prefix.count)))
    }
    return part
  }
}
