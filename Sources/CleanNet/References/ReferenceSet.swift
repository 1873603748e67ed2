import Synchronization
import Torch

/// The reference sets of all classes: each describes the images of a class by at most K vectors.
///
/// CleanNet, section 3.1: the centroids of K-means over all images of a class, also wrongly labelled ones. A
/// class with no more than K images is represented by those themselves; the mask leaves the missing places out.
public struct ReferenceSets: Sendable {
  /// `[C, K, D]`, normalized as the encoders expect; zeros where `mask` is false.
  public let references: Tensor
  /// `[C, K]`: whether there is a reference at a place.
  public let mask: Tensor
  /// The sum over classes of K-means' inertia.
  public let inertia: Double

  public init(references: Tensor, mask: Tensor, inertia: Double = 0) {
    precondition(
      references.rank == 3 && mask.shape == Array(references.shape.prefix(2)),
      "references and mask do not agree")
    self.references = references
    self.mask = mask
    self.inertia = inertia
  }

  /// The tensors that a model's file keeps.
  var tensors: [(name: String, tensor: Tensor)] { [("references", references), ("references.mask", mask)] }

  /// The reference sets as the content of a file.
  public var checkpoint: Checkpoint { Checkpoint(tensors) }

  /// Restores the content of ``checkpoint``.
  public init(_ checkpoint: Checkpoint) throws(ParameterError) { try self.init(checkpoint.tensorsByName) }

  init(_ tensors: [String: Tensor]) throws(ParameterError) {
    guard let references = tensors["references"] else { throw .missing("references") }
    guard let mask = tensors["references.mask"] else { throw .missing("references.mask") }
    guard references.rank == 3, mask.shape == Array(references.shape.prefix(2)) else {
      throw .shape("references.mask", found: mask.shape, expected: Array(references.shape.prefix(2)))
    }
    self.init(references: references, mask: mask)
  }

  public var classes: Int { references.size(0) }
  public var dimension: Int { references.size(2) }

  /// Clusters each class's images.
  ///
  /// - Parameters:
  ///   - members: For each class the images that carry its label. A class without images gets no reference.
  ///   - threads: Classes that are clustered at a time, each on a thread of its own.
  ///   - isStopped: Asked before each class; once it says so, the classes that are left get no reference.
  ///   - progress: Called from any thread with the number of classes done.
  public static func clustering(
    _ features: some FeatureSource, members: [[Int]], normalization: FeatureNormalization, kMeans: KMeans,
    seed: UInt64, threads: Int = 2, isStopped: @escaping @Sendable () -> Bool = { false },
    progress: (@Sendable (Int) -> Void)? = nil
  ) -> ReferenceSets {
    let done = Mutex(0)
    // The order of work does not matter to the outcome: every class has a seed of its own.
    let results = concurrentMap(over: members.count, threads: threads) { label -> KMeans.Result? in
      defer {
        progress?(
          done.withLock {
            $0 += 1; return $0
          })
      }
      guard !members[label].isEmpty, !isStopped() else { return nil }
      let limit = kMeans.limit
      var random = SplitMix64(seed: seed &* 0x2545_F491_4F6C_DD1D &+ UInt64(label))
      let images = sample(members[label], limit: limit, &random)
      return kMeans(normalization(features.rows(images)), seed: random.next())
    }
    let dimension = features.dimension
    let k = kMeans.clusters
    let references = Tensor.zeros([members.count, k, dimension])
    var mask = [Bool](repeating: false, count: members.count * k)
    for (label, result) in results.enumerated() {
      guard let result else { continue }
      let found = result.centroids.size(0)
      references.select(dim: 0, index: label).narrow(start: 0, count: found).copyInPlace(result.centroids)
      for place in 0..<found { mask[label * k + place] = true }
    }
    return ReferenceSets(
      references: references, mask: Tensor(mask, shape: [members.count, k]),
      inertia: results.reduce(0) { $0 + ($1?.inertia ?? 0) })
  }

  /// A seeded choice of at most `limit` of the images, in their order, so that no more are read than are used.
  private static func sample(_ images: [Int], limit: Int, _ random: inout SplitMix64) -> [Int] {
    guard images.count > limit else { return images }
    return images.shuffled(using: &random).prefix(limit).sorted()
  }
}
