import Torch
import Workspace

/// The clusters and orders of the classes that are being verified, made on first use. Clusters are kept as long as the
/// server runs, orders until scores change.
actor ImageOrders {
  private var clusters: [Int: Task<ClassClusters, any Error>] = [:]
  private var orders: [Int: ImageOrder] = [:]
  private let backend: any ReviewBackend
  private let drawOrder: DrawOrder
  private var generation = 0
  private var similar: SimilarImages?

  init(_ backend: any ReviewBackend, drawOrder: DrawOrder) {
    self.backend = backend
    self.drawOrder = drawOrder
  }

  /// The order of a class's images.
  ///
  /// - Parameter samples: All of the class.
  func order(of label: Int, _ samples: [Int], _ scores: Scores?) async throws -> ImageOrder {
    if let known = orders[label] { return known }
    let begun = generation
    let drawOrder = drawOrder
    let order = try await Blocking.run { ImageOrder(samples, drawnBy: drawOrder, scores: scores) }
    if begun == generation { orders[label] = order }
    return order
  }

  func clusters(of label: Int, _ samples: [Int]) async throws -> ClassClusters {
    if let known = clusters[label] { return try await known.value }
    let backend = backend
    let seed = drawOrder.seed &+ UInt64(label)
    let task = Task {
      try await Blocking.run {
        ClassClusters(samples, features: try backend.features(), seed: seed)
      }
    }
    clusters[label] = task
    do {
      return try await task.value
    } catch {
      clusters[label] = nil
      throw error
    }
  }

  /// Compares images; nil without features.
  ///
  /// - Parameter samples: Images that take part.
  func similarImages(among samples: [Int]) async throws -> SimilarImages? {
    if let similar { return similar }
    let begun = generation
    let backend = backend
    let found = try await Blocking.run {
      try backend.features().flatMap { features in
        withoutGradients { SimilarImages(features, among: samples) }
      }
    }
    if begun == generation { similar = found }
    return found
  }

  /// Forgets the orders: there are new scores, and features may be others, too.
  func reset() {
    orders = [:]
    similar = nil
    generation += 1
  }

  /// Forgets what is known of one class, whose images are others now.
  func reset(_ label: Int) {
    orders[label] = nil
    clusters[label] = nil
    generation += 1
  }
}
