import Artefacts
import CleanNet
import Evaluation
import Foundation
import Synchronization
import Workspace

/// Judges labels again and again as verdicts come in, by the evidence that the last training left, which it keeps in
/// memory.
///
/// Nothing is written: ``ScoreStage`` makes of the same evidence and verdicts the same judgements, and keeps them.
package final class LiveJudge: Sendable {
  private struct Kept: Sendable {
    /// Of the model.
    var key: String
    var evidence: LabelEvidence
    var images: Set<Int>
  }

  private let workspace: Workspace
  private let kept = Mutex<Kept?>(nil)

  package init(_ workspace: Workspace) { self.workspace = workspace }

  /// Judges every label by the verdicts that there are now, without training.
  ///
  /// - Returns: A row for each sample; nil where no training with the extended objective has looked at the present images,
  ///   labels and features.
  /// - Throws: `WorkspaceError` if the workspace cannot be read or the evidence is damaged.
  package func judge() throws -> [ScoreRow]? {
    let snapshot = try workspace.snapshot()
    guard let training = try snapshot.finishedRun(stage: "train"), let metrics = training.metrics,
      let outcome = try? JSONDecoder().decode(TrainStage.Outcome.self, from: Data(metrics.utf8)),
      outcome.objective == .extended,
      training.inputs == (try StageContent(snapshot).digests(for: .extended)),
      let kept = try evidence(of: training.key)
    else { return nil }
    let labels = try snapshot.trainLabels()
    let known = Dictionary(
      uniqueKeysWithValues: try snapshot.verifications().filter { kept.images.contains($0.sample) }.map {
        ($0.sample, $0.isRight)
      })
    var judgements = Judgements(
      kept.evidence,
      verifications: VerificationLabel.list(known, slipRates: try snapshot.slipRates()), count: labels.count)
    if let wished = try ScoreStage.lastSettings(snapshot)?.targetNoise {
      // Where so few verdicts show no such share yet, the usual threshold stands until `score` says so.
      let drawn = try snapshot.randomSampleAnswers().filter { kept.images.contains($0.sample) }
      _ = judgements.keep(
        noise: wished, labels: labels,
        verdicts: Dictionary(uniqueKeysWithValues: drawn.map { ($0.sample, $0.isKnownRight) }))
    }
    return (0..<judgements.count).map { judgements.row($0, verdict: known[$0]) }
  }

  private func evidence(of key: String) throws -> Kept? {
    if let kept = kept.withLock({ $0 }), kept.key == key { return kept }
    guard let evidence = try ModelFiles(workspace, key: key).readEvidence() else { return nil }
    let fresh = Kept(key: key, evidence: evidence, images: Set(evidence.images))
    kept.withLock { $0 = fresh }
    return fresh
  }
}

extension Judgements {
  /// Moves the threshold to where at most a share of the kept labels can be shown to be wrong.
  ///
  /// - Parameter verdicts: Of images drawn at random.
  /// - Returns: Whether there is such a threshold; else nothing changes.
  mutating func keep(noise wished: Double, labels: [Int], verdicts: [Int: Bool]) -> Bool {
    let scores = basis == .cosine ? cosine : probability
    guard let found = thresholdForNoise(wished, scores: scores, labels: labels, verdicts: verdicts) else {
      return false
    }
    for image in 0..<count where !threshold[image].isNaN { threshold[image] = found.threshold }
    return true
  }

  /// The kept row of an image. If a person has verified it, the verdict and the weights are the person's; the probability
  /// stays the model's.
  func row(_ image: Int, verdict: Bool?) -> ScoreRow {
    let known: Float? = verdict.map { $0 ? 1 : 0 }
    return ScoreRow(
      cosine: cosine[image], probability: probability[image], threshold: threshold[image],
      verdict: (verdict ?? isRight(image)).map { $0 ? .right : .wrong } ?? .unknown,
      softWeight: known ?? softWeight[image], hardWeight: known ?? hardWeight(image),
      suggestedLabel: Int32(suggestedClass[image]), suggestedCosine: suggestedCosine[image],
      disagreement: disagreement[image])
  }
}
