import CleanNet
import Torch

/// Finds for an image the images that stand for the references of a class to which it is nearest.
///
/// References are centroids, not images: each is represented by the image of its class that is nearest to it, among the
/// images whose labels are most probably right.
struct ReferenceFinder {
  let model: CleanNetModel
  let features: any FeatureSource
  let table: LabelTable

  /// Images of a class among which representatives are sought.
  private static let candidates = 400

  /// - Parameter images: Samples with features, and the classes that each is compared with.
  func references(_ images: [(id: Int, classes: [Int])]) -> [Int: [ImageCard.Reference]] {
    var wanted: [Int: [Int]] = [:]
    for image in images {
      for label in image.classes where label >= 0 && label < model.references.classes {
        wanted[label, default: []].append(image.id)
      }
    }
    let members = table.members
    var found: [Int: [Int: ImageCard.Reference]] = [:]
    withoutGradients {
      for (label, ids) in wanted.sorted(by: { $0.key < $1.key }) {
        for (id, reference) in references(ids, of: label, members: members[label]) {
          found[id, default: [:]][label] = reference
        }
      }
    }
    return Dictionary(
      images.map { image in (image.id, image.classes.compactMap { found[image.id]?[$0] }) },
      uniquingKeysWith: { first, _ in first })
  }

  private func references(
    _ ids: [Int], of label: Int, members: [Int]
  ) -> [(id: Int, reference: ImageCard.Reference)] {
    let count = model.references.mask[label].to(.int64).ints().reduce(0, +)
    let candidates = candidates(members)
    guard count > 0, !candidates.isEmpty else { return [] }
    let references = model.references.references[label].narrow(start: 0, count: count)
    let own = space(candidates)
    // For each reference the candidate that is nearest to it.
    let representatives = Self.squaredDistances(references, own).argmin(dim: 1).ints()
    let points = space(ids)
    let order = Self.squaredDistances(points, references).sorted(dim: 1).indices.ints()
    let cosines = points.normalized().matmul(own.normalized().transposed()).doubles()
    return ids.enumerated().compactMap { place, id in
      // The nearest reference for which another image than this one stands.
      let chosen = order[(place * count)..<((place + 1) * count)].lazy.map { representatives[$0] }
        .first { candidates[$0] != id }
      return chosen.map { candidate in
        let similarity = cosines[place * candidates.count + candidate].rounded(to: 4) ?? 0
        return (id, .init(image: candidates[candidate], label: label, similarity: similarity))
      }
    }
  }

  /// Images of a class that most probably belong to it.
  private func candidates(_ members: [Int]) -> [Int] {
    let judged = members.filter { table.isWrong[$0] == false }
    let likely = judged.sorted { (-table.score[$0], $0) < (-table.score[$1], $1) }
    return Array(likely.prefix(Self.candidates))
  }

  /// Features as the references are: `[n, d]`.
  private func space(_ ids: [Int]) -> Tensor {
    let rows = features.rows(ids)
    return model.components.map { $0(rows) } ?? model.configuration.normalization(rows)
  }

  /// `[n, d]`, `[m, d]` → `[n, m]`
  private static func squaredDistances(_ a: Tensor, _ b: Tensor) -> Tensor {
    a.squared().sum(dim: 1, keepDim: true) + b.squared().sum(dim: 1, keepDim: true).transposed()
      - a.matmul(b.transposed()) * 2
  }
}
