/// How much each example counts in a classifier's loss: for its label, and perhaps for a second class besides.
///
/// The loss is `Σ (w_i · −log p_i(label) + v_i · −log p_i(second)) / Σ (w_i + v_i)`. An example of weight 0 is the same as
/// one that is left out; one of weight 2 the same as two.
package struct SampleWeights: Sendable, Hashable {
  /// w, none negative, `[n]`.
  package var weights: [Float]
  /// The second classes, `[n]`; empty: there are none.
  package var secondLabels: [Int]
  /// v, none negative, `[n]`; empty: there are none.
  package var secondWeights: [Float]

  package init(_ weights: [Float], secondLabels: [Int] = [], secondWeights: [Float] = []) {
    precondition(
      secondLabels.count == secondWeights.count && [0, weights.count].contains(secondLabels.count),
      "\(weights.count) weights, \(secondLabels.count) second labels, \(secondWeights.count) second weights")
    self.weights = weights
    self.secondLabels = secondLabels
    self.secondWeights = secondWeights
  }

  /// Every example counts alike.
  package static func equal(_ count: Int) -> SampleWeights {
    SampleWeights([Float](repeating: 1, count: count))
  }

  package var count: Int { weights.count }

  /// The total weight of an example.
  package func total(_ example: Int) -> Float {
    weights[example] + (secondWeights.isEmpty ? 0 : secondWeights[example])
  }

  /// For each class the sum of its examples' weights.
  package func masses(labels: [Int], classes: Int) -> [Double] {
    var masses = [Double](repeating: 0, count: classes)
    for (label, weight) in zip(labels, weights) { masses[label] += Double(weight) }
    for (label, weight) in zip(secondLabels, secondWeights) { masses[label] += Double(weight) }
    return masses
  }

  /// The same, scaled so that all classes that have any mass have the same.
  package func classBalanced(labels: [Int], classes: Int) -> SampleWeights {
    let masses = masses(labels: labels, classes: classes)
    let present = masses.filter { $0 > 0 }
    let mean = present.reduce(0, +) / Double(max(1, present.count))
    let factors = masses.map { $0 > 0 ? Float(mean / $0) : 0 }
    var balanced = self
    for (example, label) in labels.enumerated() { balanced.weights[example] *= factors[label] }
    for (example, label) in secondLabels.enumerated() { balanced.secondWeights[example] *= factors[label] }
    return balanced
  }

  /// Those of some examples, in that order.
  package func selecting(_ examples: [Int]) -> SampleWeights {
    SampleWeights(
      examples.map { weights[$0] },
      secondLabels: secondLabels.isEmpty ? [] : examples.map { secondLabels[$0] },
      secondWeights: secondWeights.isEmpty ? [] : examples.map { secondWeights[$0] })
  }
}
