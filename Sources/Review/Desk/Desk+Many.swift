import Torch
import Workspace

/// Labels that look wrong in the same way: labelled one class, more like another.
struct SuspectPair: Sendable, Hashable, Codable {
  var label: Int
  var suggestion: Int
  /// How many images are still to be looked at.
  var count: Int
  /// Some of them, the most suspicious first.
  var images: [Int]
}

/// Views in which one verdict is given on many images.
extension Desk {
  /// Pairs of classes at most, and images that show what a pair looks like.
  private static let pairs = 200
  private static let picturesOfPair = 4
  /// Classes that digits stand for.
  static let likelyClasses = 8

  /// The suspects by label and suggested class, the most frequent pair first, and how many pairs there are.
  func suspectPairs(open person: String) -> (pairs: [SuspectPair], count: Int) {
    struct Key: Hashable {
      var label: Int
      var suggestion: Int
    }
    return state.withLock { state in
      var pairs: [Key: SuspectPair] = [:]
      for sample in state.suspects {
        let label = state.catalogue.labels[sample]
        guard label >= 0, state.answers.current[sample]?.origin != .accepted,
          state.answers.isOpen(sample, to: person),
          let suggestion = state.scores?.suggestion(sample, label: label)
        else { continue }
        let key = Key(label: label, suggestion: suggestion)
        pairs[key, default: SuspectPair(label: label, suggestion: suggestion, count: 0, images: [])].count +=
          1
        if pairs[key]?.images.count ?? 0 < Self.picturesOfPair { pairs[key]?.images.append(sample) }
      }
      let ranked = pairs.values.sorted {
        ($0.count, $1.label, $1.suggestion) > ($1.count, $0.label, $0.suggestion)
      }
      return (Array(ranked.prefix(Self.pairs)), ranked.count)
    }
  }

  /// The images among some that a person may answer, in the given order, handed out to the person.
  func take(
    _ samples: [Int], count: Int, without: Set<Int>, session: String, person: String
  ) -> (picks: [Pick], left: Int) {
    state.withLock { state in
      let open = samples.filter { sample in
        state.catalogue.labels.indices.contains(sample) && state.catalogue.labels[sample] >= 0
          && state.answers.isOpen(sample, to: person) && !state.leases.isElsewhere(sample, than: session)
      }
      let picks = open.lazy.filter { !without.contains($0) }.prefix(count)
        .map { Pick(sample: $0, selection: .wished) }
      state.leases.take(Array(picks), for: session)
      return (Array(picks), open.count)
    }
  }

  /// An image and its most similar images, among the images that a person may answer.
  ///
  /// - Returns: Nil if there are no features to compare, or no such image.
  func similar(
    to image: Int, count: Int, without: Set<Int>, session: String, person: String
  ) async throws -> (picks: [Pick], left: Int)? {
    let (label, candidates) = state.withLock { state -> (Int, [Int]) in
      guard state.catalogue.labels.indices.contains(image) else { return (-1, []) }
      let label = state.catalogue.labels[image]
      guard label >= 0 else { return (-1, []) }
      return (label, Self.compared(state, with: label))
    }
    guard label >= 0, let search = try await orders.similarImages(among: candidates) else { return nil }
    let open = state.withLock { state in
      candidates.filter {
        state.answers.isOpen($0, to: person) && !state.leases.isElsewhere($0, than: session)
      }
    }
    let wished = count + without.count
    let nearest = try await Blocking.run {
      withoutGradients { search(image, among: open, count: wished) }
    }
    let (picks, _) = take([image] + nearest, count: count, without: without, session: session, person: person)
    return (picks, open.count)
  }

  /// The images that are compared with one of a class; in a very large data set only images of the most similar classes.
  private static func compared(_ state: State, with label: Int) -> [Int] {
    let total = state.catalogue.classes.reduce(0) { $0 + state.catalogue.members[$1].count }
    guard total > SimilarImages.most, let geometry = state.geometry else {
      return Array(state.catalogue.members.joined().prefix(SimilarImages.most))
    }
    let near = state.catalogue.classes.sorted {
      (geometry.distance(label, $0), $0) < (geometry.distance(label, $1), $1)
    }
    var samples = state.catalogue.members[label]
    for other in near where other != label {
      guard samples.count < SimilarImages.most else { break }
      samples += state.catalogue.members[other]
    }
    return Array(samples.prefix(SimilarImages.most))
  }

  /// The classes that images with a label most likely show instead: first what people chose, then what the model
  /// suggests for the label's suspects, then similar classes. It says nothing of a single image, so that images that
  /// are judged blind may have it beside them.
  func likelyClasses(of label: Int) -> [Int] {
    state.withLock { state in
      var counts: [Int: Int] = [:]
      for answer in state.answers.current.values where answer.label == label && answer.origin != .accepted {
        // A person's view counts for more than a model's belief.
        if let correction = answer.correction { counts[correction, default: 0] += 5 }
      }
      for sample in state.suspects where state.catalogue.labels[sample] == label {
        if let suggestion = state.scores?.suggestion(sample, label: label) {
          counts[suggestion, default: 0] += 1
        }
      }
      let classes = state.catalogue.classes.filter { $0 != label }
      return Array(
        classes.sorted { a, b in
          let (first, second) = (counts[a] ?? 0, counts[b] ?? 0)
          if first != second { return first > second }
          let near = state.geometry.map { ($0.distance(label, a), $0.distance(label, b)) } ?? (0, 0)
          return (near.0, a) < (near.1, b)
        }.prefix(Self.likelyClasses))
    }
  }
}
