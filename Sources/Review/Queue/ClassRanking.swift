/// Chooses the classes to verify next.
struct ClassRanking: Sendable {
  struct Standing: Sendable {
    var label: Int
    var name: String
    var images: Int
    var verified: Int
    /// The mean probability that a decision in the class is mistaken; nil before scoring.
    var doubt: Double?
    /// The share of images in which the verdict and the class that fits best contradict each other.
    var contradictions: Double?
    /// How far the model's networks disagree on its images, on average.
    var disagreement: Double?
  }

  /// Verdicts from which a class counts as verified, that a class should get at first, and by which it is settled.
  static let minimum = 20
  static let first = 40
  static let many = 100

  let classes: [Standing]
  /// Nil without features.
  let geometry: ClassGeometry?

  /// - Parameter isScored: Whether a model has judged the labels.
  func callAsFunction(isScored: Bool, limit: Int) -> [QueueEntry] {
    let open = classes.filter { $0.verified < $0.images }
    return Array((isScored ? afterTraining(open) : coldStart(open)).prefix(limit))
  }

  /// Classes that were begun, then the classes that lie farthest from all chosen before (k-centre, greedily).
  private func coldStart(_ open: [Standing]) -> [QueueEntry] {
    let begun = open.filter { (1..<Self.minimum).contains($0.verified) }
    var entries = begun.map {
      entry($0, .begun, "\($0.verified) verified; a class helps from about \(Self.minimum) on")
    }
    var chosen = Set(classes.filter { $0.verified > 0 }.map(\.label))
    var left = open.filter { $0.verified == 0 }
    guard let geometry else {
      return entries
        + left.sorted { $0.images > $1.images }.map {
          entry($0, .diverse, "\($0.images) images, none verified yet")
        }
    }
    while !left.isEmpty {
      let isFirst = chosen.isEmpty
      let next = left.indices.max { a, b in
        value(left[a], geometry, chosen, left) < value(left[b], geometry, chosen, left)
      }
      guard let next else { break }
      let standing = left.remove(at: next)
      let why =
        isFirst
        ? "the most typical class: most like all the others"
        : "looks different from the classes above, so it teaches something new"
      entries.append(entry(standing, isFirst ? .typical : .diverse, why))
      chosen.insert(standing.label)
      // Farther down the list nobody looks; the loop is quadratic in the number of classes.
      if entries.count >= 60 { break }
    }
    return entries
  }

  private func value(_ standing: Standing, _ geometry: ClassGeometry, _ chosen: Set<Int>, _ left: [Standing])
    -> Double
  {
    guard geometry.isKnown[standing.label] else { return -3 }
    // A class of a few images lies far from all others, and teaches little.
    if let nearest = geometry.distance(standing.label, toNearestOf: chosen) {
      return nearest * Self.share(standing)
    }
    guard Self.share(standing) == 1 else { return -2.5 }
    return -left.reduce(0) { $0 + geometry.distance(standing.label, $1.label) } / Double(max(1, left.count))
  }

  /// The share of ``first`` that the class can still give: a class of a few images does not repay a look at it.
  private static func share(_ standing: Standing) -> Double {
    min(1, Double(standing.images - standing.verified) / Double(first))
  }

  private func afterTraining(_ open: [Standing]) -> [QueueEntry] {
    let verified = classes.filter { $0.verified >= Self.minimum }.map(\.label)
    func novelty(_ standing: Standing) -> Double {
      guard standing.verified < Self.minimum else { return 0 }
      return geometry?.distance(standing.label, toNearestOf: verified) ?? 0
    }
    let valued = open.map { standing in
      let left = 1 / (1 + Double(standing.verified) / Double(Self.many))
      let doubt = standing.doubt ?? 0
      let contradictions = standing.contradictions ?? 0
      let disagreement = standing.disagreement ?? 0
      return (
        standing: standing, novelty: novelty(standing),
        value: (doubt + (contradictions + disagreement) / 4) * (1 + novelty(standing)) * left
          * Self.share(standing)
      )
    }
    return valued.sorted { ($0.value, $1.standing.label) > ($1.value, $0.standing.label) }.map { item in
      let doubt = item.standing.doubt ?? 0
      let contradictions = item.standing.contradictions ?? 0
      let disagreement = item.standing.disagreement ?? 0
      if item.novelty > 0.9, !verified.isEmpty {
        return entry(
          item.standing, .diverse,
          "looks different from all verified classes; the model probably misjudges \(doubt.counted) labels here"
        )
      }
      if disagreement > max(4 * doubt, contradictions) {
        return entry(
          item.standing, .disagreeing,
          "the model is unsure here: its networks disagree, by \(disagreement.percent) on average")
      }
      if contradictions > 2 * doubt {
        return entry(
          item.standing, .contradictory,
          "in \(contradictions.percent) of its images the model contradicts itself")
      }
      return entry(item.standing, .doubtful, "the model probably misjudges \(doubt.counted) labels here")
    }
  }

  private func entry(_ standing: Standing, _ reason: QueueEntry.Reason, _ why: String) -> QueueEntry {
    let wished = standing.verified < Self.minimum ? Self.first : standing.verified + Self.first
    return QueueEntry(
      label: standing.label, name: standing.name, images: standing.images, verified: standing.verified,
      target: min(wished, standing.images), reason: reason, why: why)
  }
}
