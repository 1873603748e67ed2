import CleanNet
import Torch

/// Judges the label of every image.
///
/// - Parameters:
///   - features: `[N, D]`, one row per image, from any pretrained network.
///   - labels: N class numbers, from 0.
///   - verified: For some images, by row: whether a person says that the label is right.
/// - Throws: `EngineError` if the compute engine is missing.
func judge(_ features: Tensor, labels: [Int], classes: Int, verified: [Int: Bool]) throws -> Judgements {
  try Engine.load()
  let source = DenseFeatures(features)
  let verdicts = verified.map { VerificationLabel(image: $0.key, isRight: $0.value) }
  let data = TrainingSet(features: source, labels: labels, classes: classes, verifications: verdicts)
  let training = Training(data, configuration: .extended(suitedTo: source), threads: 2)
  let model = try training.run().model
  return model.judge(data, space: training.space, threads: 2)
}
