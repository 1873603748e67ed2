/// The detectors by name, with their default settings.
package enum DetectorRegistry {
  /// All of them, in the order of tables: by kind, and within a kind from old to new.
  package static let all: [any Detector] =
    [
      Naive(),
      Perceptron(), VerifiedNeighbors(), SVMDetector(.linear), SVMDetector(.rbf),
      LabelPropagation.propagation(), LabelPropagation.spreading(),
      ClassificationFiltering(), AverageBaseline(),
      CleanNetDetector(.paper), CleanNetDetector(.extended),
      ReconstructionDetector(), OneClassSVM(),
    ] + LabelQualityScore.allCases.map { LabelQuality($0) }
    + ConfidentLearning.Pruning.allCases.map { ConfidentLearning($0) } + [KNNAgreement(), DistanceRatio()]

  /// The detector of that name.
  package static func named(_ name: String) -> (any Detector)? {
    all.first { $0.name == name } ?? CleanNetDetector.ablations.first { $0.name == name }
  }
}
