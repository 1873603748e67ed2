import CleanNet
import Torch

/// CleanNet as a detector among others: trained on a problem's verified images, then judging all.
package struct CleanNetDetector: Detector {
  package let objective: Objective
  /// The evidence it judges by; experiments leave parts out.
  package let parts: EvidenceParts
  /// Of the problem's features and images, if it is there already.
  package var space: FeatureSpace?

  package init(_ objective: Objective = .extended, parts: EvidenceParts = .all, space: FeatureSpace? = nil) {
    self.objective = objective
    self.parts = parts
    self.space = space
  }

  /// The whole, and the same without one part each.
  package static let ablations: [CleanNetDetector] =
    partNames.map { CleanNetDetector(parts: .all.subtracting($0.part)) }

  private static let partNames: [(part: EvidenceParts, name: String)] = [
    (.networks, "networks"), (.discriminant, "discriminant"), (.neighbors, "neighbors"),
    (.openWorld, "open-world"), (.plainWorld, "plain-world"), (.verdicts, "verdicts"),
    (.residuals, "residuals"),
  ]

  package var name: String {
    guard objective == .extended else { return "cleannet-paper" }
    return "cleannet"
      + Self.partNames.filter { !parts.contains($0.part) }.map { "-without-\($0.name)" }.joined()
  }
  package var kind: DetectorKind { .weaklySupervised }

  package func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    guard Set(problem.images.lazy.map { problem.labels[$0] }).count > 1 else {
      throw .tooFewClasses(detector: name)
    }
    let data = TrainingSet(problem)
    var configuration = Self.configuration(objective, problem)
    configuration.evidence = parts
    if objective == .extended, !parts.contains(.networks) { configuration.setSteps(0) }
    let report: @Sendable (Training.Event) -> Void = { event in
      if case .steps(let done, let total) = event { progress(0.9 * Double(done) / Double(total)) }
    }
    func train() throws -> Training.Outcome {
      try Training(
        data, configuration: configuration, space: space, threads: problem.threads, report: report
      ).run(report: report)
    }
    do {
      guard objective == .extended else {
        return Detection(try train().model.judge(data, threads: problem.threads))
      }
      // Verdicts only weigh the evidence, so that other draws of them find it here.
      let found = try problem.shared.evidence(parts.subtracting(.verdicts)) {
        guard let evidence = try train().evidence else { throw ModelError.noModel }
        return evidence
      }
      var detection = Detection(
        Judgements(
          found.value, verifications: data.verifications, count: data.labels.count,
          usesVerdicts: parts.contains(.verdicts)))
      detection.reusedSeconds = found.reusedSeconds
      return detection
    } catch {
      throw .library(detector: name, reason: "\(error)")
    }
  }

  static func configuration(_ objective: Objective, _ problem: DetectionProblem) -> Configuration {
    var configuration = Configuration.of(objective, dimension: problem.features.dimension)
    configuration.normalization = .suited(to: problem.features)
    configuration.seed = problem.seed
    return configuration
  }

  /// The features that problems share if they differ in labels and verdicts only.
  package static func space(_ problem: DetectionProblem) -> FeatureSpace {
    FeatureSpace(
      TrainingSet(problem), configuration: configuration(.extended, problem), threads: problem.threads)
  }
}

extension TrainingSet {
  /// A detection problem as CleanNet sees it.
  init(_ problem: DetectionProblem) {
    self.init(
      sound: problem.features, labels: problem.labels, classes: problem.classes,
      verifications: problem.verdicts.sorted { $0.key < $1.key }.map {
        VerificationLabel(image: $0.key, isRight: $0.value)
      })
  }
}

extension Detection {
  /// CleanNet's judgements: ranked by the probability that the label is right, decided by CleanNet's own threshold.
  package init(_ judgements: Judgements) {
    self.init(
      scores: judgements.probability, verdicts: (0..<judgements.count).map { judgements.isRight($0) ?? true },
      scoresAreProbabilities: true)
  }
}
