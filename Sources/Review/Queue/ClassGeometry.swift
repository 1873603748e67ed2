import Torch

/// How unlike the classes look: cosine distances between the mean features of their images.
struct ClassGeometry: Sendable {
  /// Images of each class that its mean is taken from.
  static let imagesPerClass = 200
  private let distances: [Float]
  private let count: Int
  /// Whether a class has images with features.
  let isKnown: [Bool]

  /// - Parameter members: By class its samples.
  init(_ features: any FeatureSource, members: [[Int]]) {
    count = members.count
    var isKnown = [Bool](repeating: false, count: members.count)
    distances = withoutGradients {
      let means = Tensor.zeros([members.count, features.dimension])
      for (label, samples) in members.enumerated() {
        let stride = max(1, samples.count / Self.imagesPerClass)
        let chosen = Swift.stride(from: 0, to: samples.count, by: stride).map { samples[$0] }
          .filter { $0 < features.count }
        guard !chosen.isEmpty else { continue }
        let rows = ClassClusters.unit(features.rows(chosen))
        let whole = ClassClusters.finite(rows)
        guard !whole.isEmpty else { continue }
        isKnown[label] = true
        let mean = rows.indexSelect(Tensor(whole)).mean(dim: 0)
        means.indexCopyInPlace(dim: 0, index: Tensor([label]), mean.unsqueezed(dim: 0))
      }
      // Features of networks share a large common part, which would make all classes look alike.
      let known = isKnown.indices.filter { isKnown[$0] }
      guard !known.isEmpty else { return [Float](repeating: 0, count: members.count * members.count) }
      let unit = ClassClusters.unit(means - means.indexSelect(Tensor(known)).mean(dim: 0).unsqueezed(dim: 0))
      return (1 - unit.matmul(unit.transposed())).floats()
    }
    self.isKnown = isKnown
  }

  /// 0 alike, 1 unrelated, 2 opposite.
  func distance(_ a: Int, _ b: Int) -> Double { Double(max(0, distances[a * count + b])) }

  /// To the nearest of some classes; nil if there are none.
  func distance(_ label: Int, toNearestOf others: some Sequence<Int>) -> Double? {
    others.lazy.filter { $0 != label }.map { distance(label, $0) }.min()
  }
}
