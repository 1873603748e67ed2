/// The scores of one class as a whole.
struct ClassFigures: Sendable, Hashable {
  /// The mean probability that a decision is mistaken.
  var doubt = 0.0
  /// The share of images in which the verdict and the class that fits best contradict each other.
  var contradictions = 0.0
  /// How far the model's networks disagree on its images, on average.
  var disagreement = 0.0
  /// The expected share of wrong labels.
  var noise = 0.0

  /// By class; nil where nothing was scored.
  static func all(_ scores: Scores, _ catalogue: Catalogue) -> [ClassFigures?] {
    catalogue.members.enumerated().map { label, samples in
      var figures = ClassFigures()
      var count = 0.0
      for sample in samples {
        guard let row = scores[sample], let doubt = scores.doubt(sample) else { continue }
        count += 1
        figures.doubt += doubt
        figures.disagreement += scores.disagreement(sample)
        figures.noise += 1 - Double(row.probability)
        let fitsBest = scores.suggestion(sample, label: label) == nil
        if (row.probability >= 0.5) != fitsBest { figures.contradictions += 1 }
      }
      guard count > 0 else { return nil }
      figures.doubt /= count
      figures.noise /= count
      figures.disagreement /= count
      figures.contradictions /= count
      return figures
    }
  }
}
