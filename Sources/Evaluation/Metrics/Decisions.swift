/// How right the decisions are: which wrong labels were found, and which right ones blamed.
package struct DecisionCounts: Sendable, Hashable, Codable {
  /// Wrong labels called wrong.
  package var found = 0
  /// Wrong labels called right.
  package var missed = 0
  /// Right labels called wrong.
  package var blamed = 0
  /// Right labels called right.
  package var kept = 0

  package init(_ judged: JudgedLabels) {
    for (isRight, decision) in zip(judged.isRight, judged.decisions) {
      switch (isRight, decision) {
      case (false, false): found += 1
      case (false, true): missed += 1
      case (true, false): blamed += 1
      case (true, true): kept += 1
      }
    }
  }

  package var count: Int { found + missed + blamed + kept }

  /// The share of labels called wrong that are; 0 where none is called wrong, as in scikit-learn.
  package var precision: Double { ratio(found, found + blamed) }

  /// The share of wrong labels that are found; 0 where none is wrong.
  package var recall: Double { ratio(found, found + missed) }

  /// The harmonic mean of precision and recall.
  package var f1: Double { ratio(2 * found, 2 * found + blamed + missed) }

  /// The share of wrong labels among those kept.
  package var noiseAmongKept: Double { ratio(missed, missed + kept) }

  private func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
}

/// The paper's metric: the share of misjudged labels of each class, averaged over the classes that have any, in
/// percent. NaN where there are no images.
package func averageErrorRate(_ judged: JudgedLabels) -> Double {
  var errors = [Int: Int]()
  var sizes = [Int: Int]()
  for place in judged.labels.indices {
    sizes[judged.labels[place], default: 0] += 1
    errors[judged.labels[place], default: 0] += judged.isRight[place] == judged.decisions[place] ? 0 : 1
  }
  let rates = sizes.sorted { $0.key < $1.key }.map { Double(errors[$0.key, default: 0]) / Double($0.value) }
  return rates.isEmpty ? .nan : 100 * rates.reduce(0, +) / Double(rates.count)
}
