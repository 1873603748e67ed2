import CleanNet
import Detectors
import Torch

/// CleanNet as a detector among others: trained on a problem's verified images, then judging all.
public struct CleanNetDetector: Detector {
  public let objective: Objective
  /// Of the problem's features and images, if it is there already.
  public var space: FeatureSpace?

  public init(_ objective: Objective, space: FeatureSpace? = nil) {
    self.objective = objective
    self.space = space
  }

  public var name: String { objective == .extended ? "cleannet" : "cleannet-paper" }
  public var kind: DetectorKind { .weaklySupervised }

  public func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    let (data, configuration) = (TrainingSet(problem), Self.configuration(objective, problem))
    let report: @Sendable (Training.Event) -> Void = { event in
      if case .steps(let done, let total) = event { progress(0.9 * Double(done) / Double(total)) }
    }
    let training = Training(
      data, configuration: configuration, space: space, threads: problem.threads, report: report)
    let model: CleanNetModel
    do {
      model = try training.run(report: report).model
    } catch {
      throw .library(detector: name, reason: "\(error)")
    }
    return Detection(model.judge(data, space: training.space, threads: problem.threads))
  }

  static func configuration(_ objective: Objective, _ problem: DetectionProblem) -> Configuration {
    var configuration = Configuration.of(objective, dimension: problem.features.dimension)
    configuration.normalization = .suited(to: problem.features)
    configuration.seed = problem.seed
    return configuration
  }

  /// What can be shared among problems that differ in labels and verdicts only.
  public static func space(_ problem: DetectionProblem) -> FeatureSpace {
    FeatureSpace(
      TrainingSet(problem), configuration: configuration(.extended, problem), threads: problem.threads)
  }
}

extension TrainingSet {
  /// A detection problem as CleanNet sees it.
  init(_ problem: DetectionProblem) {
    self.init(
      features: problem.features, labels: problem.labels, classes: problem.classes,
      verifications: problem.verdicts.sorted { $0.key < $1.key }.map {
        VerificationLabel(image: $0.key, isRight: $0.value)
      })
  }
}

extension Detection {
  /// CleanNet's judgements: ranked by the probability that the label is right, decided by CleanNet's own threshold.
  public init(_ judgements: Judgements) {
    self.init(
      scores: judgements.probability, verdicts: (0..<judgements.count).map { judgements.isRight($0) ?? true },
      scoresAreProbabilities: true)
  }
}
