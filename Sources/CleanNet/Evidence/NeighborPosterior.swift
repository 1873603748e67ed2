import Torch

/// Neighbours that were found before. With many images finding them takes longer than all the rest, and they follow from
/// features alone: trainings and judgements after more verdicts need not find them again.
public struct NeighborStore: Sendable {
  /// The rows of the `k` nearest neighbours of each row of `vectors`, `[N, k]`, C order; nil where they are not kept.
  public var restore: @Sendable (_ vectors: Tensor, _ k: Int) -> [Int32]?
  /// Keeps what was found. It may fail silently: then they are found again.
  public var keep: @Sendable (_ vectors: Tensor, _ k: Int, _ neighbors: [Int32]) -> Void

  public init(
    restore: @escaping @Sendable (_ vectors: Tensor, _ k: Int) -> [Int32]?,
    keep: @escaping @Sendable (_ vectors: Tensor, _ k: Int, _ neighbors: [Int32]) -> Void
  ) {
    self.restore = restore
    self.keep = keep
  }
}

/// The share of an image's nearest neighbours that belong to each class, counted by their soft labels.
struct NeighborPosterior: Sendable {
  /// A quarter of a class of usual size, within these bounds.
  static let neighbors = 10...50

  /// `[N, k]`, int64
  private let indices: Tensor

  /// - Parameters:
  ///   - features: `[N, d]`; neighbours are nearest by cosine, and no image is its own.
  ///   - classes: How many classes the images are of.
  ///   - store: Where neighbours may be kept already.
  init(
    _ features: DenseFeatures, classes: Int, store: NeighborStore? = nil, threads: Int,
    progress: (@Sendable (Double) -> Void)? = nil
  ) {
    let images = Array(0..<features.count)
    let usual = images.count / (4 * max(1, classes))
    let wished = min(Self.neighbors.upperBound, max(Self.neighbors.lowerBound, usual))
    let k = max(0, min(wished, images.count - 1))
    let vectors = features.values
    if let kept = store?.restore(vectors, k), kept.count == images.count * k {
      indices = Tensor(kept.map(Int.init), shape: [images.count, k])
      return
    }
    let found = nearestNeighbors(
      features, queries: images, k: k, threads: threads, progress: progress)
    store?.keep(vectors, k, found.indices)
    indices = Tensor(found.indices.map(Int.init), shape: [found.count, found.k])
  }

  /// Logarithms of the shares, with one image of the average kind added, so that none is zero: `[N, C]`.
  func callAsFunction(_ softLabels: Tensor) -> Tensor {
    withoutGradients {
      let (count, k, classes) = (indices.size(0), indices.size(1), softLabels.size(1))
      let average = softLabels.mean(dim: 0)
      let pieces = stride(from: 0, to: count, by: PrincipalComponents.chunk).map { start in
        let rows = min(PrincipalComponents.chunk, count - start)
        let near = indices[start..<(start + rows)].reshaped([rows * k])
        let sums = softLabels.indexSelect(near).reshaped([rows, k, classes]).sum(dim: 1)
        return ((sums + average + 1e-6) / Double(k + 1)).log()
      }
      return Tensor.concatenate(pieces)
    }
  }
}
