import CleanNet
import Torch

/// Learns from features, labels and verdicts which labels are wrong.
///
/// - Parameters:
///   - features: `[N, D]`, one row per image, from any pretrained network.
///   - labels: N class numbers, from 0.
///   - verified: For some images, by row: whether a person says that the label is right.
///   - progress: Called with each event of training.
/// - Throws: `EngineError` if the compute engine is missing; `TrainingDataError` if a number is out of its range.
func learn(
  _ features: Tensor, labels: [Int], classes: Int, verified: [Int: Bool],
  progress: (Training.Event) -> Void = { _ in }
) async throws -> LabelModel {
  try Engine.load()
  let verdicts = verified.map { VerificationLabel(image: $0.key, isRight: $0.value) }
  let data = try TrainingSet(
    features: DenseFeatures(features), labels: labels, classes: classes, verifications: verdicts)
  let run = TrainingRun(data)
  for await event in run { progress(event) }
  return try await run.model
}
