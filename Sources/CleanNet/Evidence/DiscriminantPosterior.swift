import Foundation
import Torch

/// Linear discriminant analysis from soft labels, cross-fitted: each image is judged by a discriminant that was fitted
/// without it.
///
/// Class means come from soft labels. All classes share one covariance, shrunk towards a multiple of the identity
/// (Friedman 1989). The fit is closed-form: one d × d system per fold.
struct DiscriminantPosterior: Sendable {
  static let folds = 5
  /// Candidates for the identity's share of the covariance.
  static let shrinkages = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95]
  /// Factors on the log-posterior that are tried when candidates are compared, because the discriminant is overconfident
  /// by a factor that depends on the data.
  static let temperatures = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1]
  /// Candidates are compared on at most this many images.
  static let comparedImages = 20_000

  /// `[N, d]`, centered.
  let features: any FeatureSource
  /// For each fold its images, ascending, and the sum of outer products of their features.
  private let folds: [(images: [Int], products: Tensor)]
  /// Of each image its fold.
  private let foldOfImage: [UInt8]

  /// - Parameters:
  ///   - features: `[N, d]`, centered.
  ///   - identities: Stable names of the images, so that folds do not depend on the order of rows.
  init(_ features: any FeatureSource, identities: [UInt64], seed: UInt64) {
    self.features = features
    let count = features.count
    let ranks = identities.map { identity in
      var random = SplitMix64(seed: identity &+ seed &+ 0xF01D)
      return random.next()
    }
    let order = (0..<count).sorted { (ranks[$0], $0) < (ranks[$1], $1) }
    var foldOfImage = [UInt8](repeating: 0, count: count)
    for (place, image) in order.enumerated() { foldOfImage[image] = UInt8(place % Self.folds) }
    self.foldOfImage = foldOfImage
    var members = [[Int]](repeating: [], count: min(Self.folds, count))
    for image in 0..<count { members[Int(foldOfImage[image])].append(image) }
    let images = members
    folds = concurrentMap(over: images.count, threads: Engine.threads, engineThreads: 1) { fold in
      withoutGradients {
        let products = Tensor.zeros([features.dimension, features.dimension])
        Self.forEachPiece(images[fold], features) { _, rows in
          products.addInPlace(rows.transposed().matmul(rows))
        }
        return (images[fold], products)
      }
    }
  }

  private static func forEachPiece(
    _ images: [Int], _ features: any FeatureSource, _ body: (ArraySlice<Int>, Tensor) -> Void
  ) {
    for start in stride(from: 0, to: images.count, by: PrincipalComponents.chunk) {
      let piece = images[start..<min(start + PrincipalComponents.chunk, images.count)]
      body(piece, features.rows(Array(piece)))
    }
  }

  /// Discriminants that were fitted to soft labels, one for the images of each fold.
  struct Fitted: Sendable {
    fileprivate let features: any FeatureSource
    fileprivate let foldOfImage: [UInt8]
    fileprivate let classifiers: [LinearClassifier]

    /// The logarithms of the posterior probabilities of all classes: `[rows, C]`.
    func callAsFunction(_ rows: [Int]) -> Tensor {
      withoutGradients {
        let values = features.rows(rows)
        let result = Tensor.empty([rows.count, classifiers[0].bias.size(0)])
        for (fold, classifier) in classifiers.enumerated() {
          let own = rows.indices.filter { foldOfImage[rows[$0]] == fold }
          guard !own.isEmpty else { continue }
          let places = Tensor(own)
          result.indexCopyInPlace(
            dim: 0, index: places, classifier(values.indexSelect(places)).logSoftmax(dim: 1))
        }
        return result
      }
    }
  }

  /// - Parameters:
  ///   - softLabels: Of N images; what is left of an image is spread as classes are frequent.
  ///   - classes: C, the first of the soft labels' states; an image that is held to be of another counts less.
  ///   - shrinkage: The identity's share of the covariance, in 0…1.
  func fitted(_ softLabels: ClassVotes, classes: Int, shrinkage: Double) -> Fitted {
    withoutGradients {
      let sums = sums(softLabels, classes: classes)
      return Fitted(
        features: features, foldOfImage: foldOfImage,
        classifiers: folds.indices.map { moments(sums, without: $0).classifier(shrinkage: shrinkage) })
    }
  }

  /// The discriminant that was fitted with all images: for images that come later.
  ///
  /// Parameters as of ``fitted(_:classes:shrinkage:)``.
  func classifier(_ softLabels: ClassVotes, classes: Int, shrinkage: Double) -> LinearClassifier {
    withoutGradients {
      moments(sums(softLabels, classes: classes), without: -1).classifier(shrinkage: shrinkage)
    }
  }

  /// The shrinkage under which the noisy labels of the first fold are most likely, given those of the other folds.
  ///
  /// Weak features and few images need much of it; it follows from labels alone, so that no verdict is spent on it.
  ///
  /// - Parameter softLabels: The noisy labels.
  func bestShrinkage(_ softLabels: ClassVotes, labels: [Int]) -> Double {
    withoutGradients {
      guard folds.count > 1 else { return 0.9 }
      let moments = moments(sums(softLabels, classes: softLabels.states), without: 0)
      let compared = Array(folds[0].images.prefix(Self.comparedImages))
      let classifiers = Self.shrinkages.map { moments.classifier(shrinkage: $0) }
      var likelihoods = Self.shrinkages.map { _ in Self.temperatures.map { _ in 0.0 } }
      Self.forEachPiece(compared, features) { images, rows in
        let own = Tensor(images.map { labels[$0] }).unsqueezed(dim: 1)
        for (place, classifier) in classifiers.enumerated() {
          let scores = classifier(rows).logSoftmax(dim: 1)
          for (number, temperature) in Self.temperatures.enumerated() {
            likelihoods[place][number] +=
              (scores * temperature).logSoftmax(dim: 1).gather(dim: 1, own).sum().item
          }
        }
      }
      let best = likelihoods.map { $0.max() ?? -.infinity }
      let finite = best.indices.filter { best[$0].isFinite }
      return finite.max { best[$0] < best[$1] }.map { Self.shrinkages[$0] } ?? 0.9
    }
  }

  /// For each fold the sums of features by class, `[C, d]`, and of soft labels, `[C]`.
  private func sums(_ softLabels: ClassVotes, classes: Int) -> [(means: Tensor, sizes: Tensor)] {
    concurrentMap(over: folds.count, threads: Engine.threads, engineThreads: 1) { fold in
      withoutGradients { sums(of: folds[fold].images, softLabels, classes: classes) }
    }
  }

  private func sums(
    of images: [Int], _ softLabels: ClassVotes, classes: Int
  ) -> (means: Tensor, sizes: Tensor) {
    let dimension = features.dimension
    let means = Tensor.zeros([classes, dimension])
    var sizes = [Double](repeating: 0, count: classes)
    // The remaining mass of the images goes to all classes in proportion to their frequency.
    let leftMeans = Tensor.zeros([dimension])
    let left = Tensor(softLabels.average).narrow(start: 0, count: classes)
    var leftSize = 0.0
    Self.forEachPiece(images, features) { images, rows in
      var rests = [Float](repeating: 0, count: images.count)
      means.withUnsafeMutableBytes { target in
        rows.contiguous().withUnsafeBytes { source in
          let sums = target.bindMemory(to: Float.self)
          let values = source.bindMemory(to: Float.self)
          for (row, image) in images.enumerated() {
            let own = UnsafeBufferPointer(rebasing: values[row * dimension..<(row + 1) * dimension])
            rests[row] = softLabels.forEach(image) { state, share in
              guard state < classes else { return }
              sizes[state] += Double(share)
              let sum = UnsafeMutableBufferPointer(
                rebasing: sums[state * dimension..<(state + 1) * dimension])
              for place in 0..<dimension { sum[place] += share * own[place] }
            }
          }
        }
      }
      leftMeans.addInPlace((rows * Tensor(rests, shape: [rests.count, 1])).sum(dim: 0))
      leftSize += rests.reduce(0) { $0 + Double($1) }
    }
    means.addInPlace(left.unsqueezed(dim: 1) * leftMeans.unsqueezed(dim: 0))
    return (means, Tensor(sizes).to(.float32) + left * leftSize)
  }

  /// The moments of the classes, from the images outside one fold.
  private struct Moments {
    /// `[C, d]`
    var means: Tensor
    /// `[C]`
    var sizes: Tensor
    /// The covariance within classes, `[d, d]`.
    var within: Tensor

    func classifier(shrinkage: Double) -> LinearClassifier {
      let dimension = within.size(0)
      let spread = (within * Tensor.eye(dimension)).sum().item / Double(dimension)
      let covariance = within * (1 - shrinkage) + Tensor.eye(dimension) * (shrinkage * spread + 1e-12)
      let weights = covariance.solve(means.transposed())
      let bias = (sizes / sizes.sum()).log() - (means.transposed() * weights).sum(dim: 0) * 0.5
      return LinearClassifier(weights: weights, bias: bias)
    }
  }

  private func moments(_ sums: [(means: Tensor, sizes: Tensor)], without fold: Int) -> Moments {
    func total(_ tensors: [Tensor]) -> Tensor {
      let others = tensors.indices.filter { $0 != fold || tensors.count == 1 }
      return others.dropFirst().reduce(tensors[others[0]].clone()) { sum, place in
        sum.addInPlace(tensors[place])
        return sum
      }
    }
    let sizes = total(sums.map(\.sizes)) + 1e-3
    let means = total(sums.map(\.means)) / sizes.unsqueezed(dim: 1)
    let between = (means * sizes.unsqueezed(dim: 1)).transposed().matmul(means)
    return Moments(
      means: means, sizes: sizes, within: (total(folds.map(\.products)) - between) / sizes.sum())
  }
}

/// Scores of classes that are linear in the features.
struct LinearClassifier: Sendable {
  /// `[d, C]`
  let weights: Tensor
  /// `[C]`
  let bias: Tensor

  /// `[n, d]` → `[n, C]`
  func callAsFunction(_ rows: Tensor) -> Tensor { rows.matmul(weights) + bias }

  /// The same for rows in batches of any size.
  func batchInvariant(_ rows: Tensor) -> Tensor { rows.batchInvariantMatmul(weights) + bias }
}
