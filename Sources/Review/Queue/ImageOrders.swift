import Torch
import Workspace

/// The clusters and orders of the classes that are being verified, made on first use. Clusters are kept as long as the
/// server runs, orders until scores change.
actor ImageOrders {
  private var clusters: [Int: Task<ClassClusters, any Error>] = [:]
  private var orders: [Int: ImageOrder] = [:]
  private let backend: any ReviewBackend
  private let seed: UInt64
  private var generation = 0

  init(_ backend: any ReviewBackend, seed: UInt64) {
    self.backend = backend
    self.seed = seed
  }

  /// The order of a class's images.
  ///
  /// - Parameter samples: All of the class.
  func order(of label: Int, _ samples: [Int], _ scores: Scores?) async throws -> ImageOrder {
    if let known = orders[label] { return known }
    let begun = generation
    let clusters = try await clusters(of: label, samples)
    let seed = seed &+ UInt64(label)
    let order = try await Blocking.run { ImageOrder(clusters, scores: scores, seed: seed) }
    if begun == generation { orders[label] = order }
    return order
  }

  func clusters(of label: Int, _ samples: [Int]) async throws -> ClassClusters {
    if let known = clusters[label] { return try await known.value }
    let (backend, seed) = (backend, seed &+ UInt64(label))
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

  /// Forgets the orders: there are new scores.
  func reset() {
    orders = [:]
    generation += 1
  }
}
