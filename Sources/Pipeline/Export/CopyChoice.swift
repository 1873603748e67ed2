import Workspace

/// Which images of a cleaned data set are left out since others show the same.
package enum Without: String, Sendable, CaseIterable {
  /// Of images of one split that show the same, one stays.
  case duplicates
  /// An image that shows the same as one of the split `test` is left out of the others, and one of `val` out of `train`.
  case leaks
}

/// Chooses the images that go.
struct CopyChoice {
  /// Test data stay, then validation data: a measurement is worth more than one image to learn from.
  private static func rank(_ split: String) -> Int {
    switch split {
    case "test": 0
    case "val": 1
    default: 2
    }
  }

  /// - Parameters:
  ///   - groups: Images that show the same, by number.
  ///   - knownLabels: Of several the one stays whose label is most likely right.
  /// - Returns: The numbers of the copies that go.
  static func leftOut(
    _ groups: [[Int]], _ wanted: Set<Without>, _ workspace: Workspace, _ knownLabels: KnownLabels
  ) throws -> Set<Int> {
    var gone: Set<Int> = []
    for group in groups {
      var samples = try workspace.samples(group)
      if wanted.contains(.leaks), let best = samples.map({ rank($0.split) }).min() {
        gone.formUnion(samples.filter { rank($0.split) > best }.map(\.id))
        samples.removeAll { gone.contains($0.id) }
      }
      guard wanted.contains(.duplicates) else { continue }
      for (_, alike) in Dictionary(grouping: samples, by: \.split) where alike.count > 1 {
        let kept = alike.max { worth($0, knownLabels) < worth($1, knownLabels) }
        gone.formUnion(alike.lazy.filter { $0.id != kept?.id }.map(\.id))
      }
    }
    return gone
  }

  /// Verified right, then likely right, then verified wrong; of equals the first.
  private static func worth(_ sample: StoredSample, _ knownLabels: KnownLabels) -> (Double, Int) {
    let known = knownLabels[sample]
    let probability = known.probability.isFinite ? Double(known.probability) : 0.5
    let verdict = knownLabels.verdict(sample)
    return (verdict.map { $0 ? 2 : -1 } ?? probability, -sample.id)
  }
}
