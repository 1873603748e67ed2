/// K-means of directions: some thousand centroids for millions of unit vectors, found on a sample, in two steps. The sample
/// is first divided into √K groups and then each of these, which takes 2 √K products a vector and step instead of K and
/// loses nothing that recall would show.
struct SphericalClusters: Sendable {
  /// Unit vectors `[L, d]`; those of one group follow each other, so that neighboring lists often are similar.
  let centroids: Tensor

  /// Vectors of the sample for each centroid.
  static let sample = 32
  /// Steps of Lloyd's algorithm: of the groups, and within one.
  private static let steps = (groups: 8, within: 6)
  /// Products at hand at a time, on a thread.
  private static let products = 1 << 23

  /// Clusters some of `rows` into about `clusters`, fewer where there are fewer distinct ones.
  ///
  /// - Parameter among: The rows that count.
  init(_ rows: HalfRows, among: [Int32], clusters: Int, seed: UInt64, threads: Int) {
    var random = SplitMix64(seed: seed)
    let wished = min(among.count, clusters * Self.sample)
    let points = rows.rows(Self.drawn(wished, of: among.count, &random).map { among[$0] })
    let groupCount = max(1, Int(Double(clusters).squareRoot()))
    let groupSeed = random.next()
    centroids = withoutGradients {
      let some = points.narrow(start: 0, count: min(wished, groupCount * 4 * Self.sample))
      let groups = Self.lloyd(some, clusters: groupCount, steps: Self.steps.groups, seed: groupSeed)
      var members = [[Int]](repeating: [], count: groups.size(0))
      for (point, group) in Self.nearest(points, groups, threads: threads).enumerated() {
        members[Int(group)].append(point)
      }
      let filled = members.filter { !$0.isEmpty }
      let found = concurrentMap(over: filled.count, threads: threads, engineThreads: 1) { group in
        let own = filled[group]
        let share = max(1, Int((Double(clusters * own.count) / Double(wished)).rounded()))
        return withoutGradients {
          Self.lloyd(
            points.indexSelect(Tensor(own)), clusters: share, steps: Self.steps.within,
            seed: groupSeed &+ UInt64(group + 1))
        }
      }
      return .concatenate(found)
    }
  }

  init(centroids: Tensor) { self.centroids = centroids }

  var count: Int { centroids.size(0) }

  /// The nearest centroid of each of some rows.
  func nearest(_ rows: HalfRows, _ among: [Int32], threads: Int) -> [Int32] {
    let size = chunk
    let transposed = centroids.transposed()
    return concurrentMap(over: (among.count + size - 1) / size, threads: threads, engineThreads: 1) { chunk in
      withoutGradients {
        let range = chunk * size..<min((chunk + 1) * size, among.count)
        return rows.rows(among[range]).matmul(transposed).argmax(dim: 1).ints().map { Int32($0) }
      }
    }.flatMap { $0 }
  }

  /// Vectors that are compared with all centroids at a time.
  private var chunk: Int { max(256, min(4096, Self.products / max(1, count))) }

  /// For each centroid the `count` nearest, itself first, `[L, count]`.
  func nearestCentroids(_ count: Int, threads: Int) -> [Int32] {
    let size = chunk
    return concurrentMap(over: (self.count + size - 1) / size, threads: threads, engineThreads: 1) { chunk in
      withoutGradients {
        let own = centroids[chunk * size..<min((chunk + 1) * size, self.count)]
        return own.matmul(centroids.transposed()).topK(count).indices.ints().map { Int32($0) }
      }
    }.flatMap { $0 }
  }

  /// Distinct numbers below `bound`, ascending.
  static func drawn(_ count: Int, of bound: Int, _ random: inout SplitMix64) -> [Int] {
    guard count < bound else { return Array(0..<bound) }
    var chosen = Set<Int>()
    // Floyd's algorithm: each set of that size is equally likely.
    for last in bound - count..<bound {
      let candidate = Int.random(in: 0...last, using: &random)
      if !chosen.insert(candidate).inserted { chosen.insert(last) }
    }
    return chosen.sorted()
  }

  private static func nearest(_ points: Tensor, _ centroids: Tensor, threads: Int) -> [Int32] {
    let size = 4096
    let count = points.size(0)
    return concurrentMap(over: (count + size - 1) / size, threads: threads, engineThreads: 1) { chunk in
      withoutGradients {
        let own = points[chunk * size..<min((chunk + 1) * size, count)]
        return own.matmul(centroids.transposed()).argmax(dim: 1).ints().map { Int32($0) }
      }
    }.flatMap { $0 }
  }

  /// Lloyd's algorithm from points drawn at random; what loses all its points is left out.
  private static func lloyd(_ points: Tensor, clusters: Int, steps: Int, seed: UInt64) -> Tensor {
    let count = points.size(0)
    var random = SplitMix64(seed: seed)
    var centroids = points.indexSelect(Tensor(drawn(min(clusters, count), of: count, &random)))
    guard clusters < count else { return centroids }
    for _ in 0..<steps {
      let assignment = points.matmul(centroids.transposed()).argmax(dim: 1).ints()
      centroids = means(points, assignment, clusters: centroids.size(0)).normalized().contiguous()
    }
    return centroids
  }

  /// The sums of the points of each cluster that has any.
  private static func means(_ points: Tensor, _ assignment: [Int], clusters: Int) -> Tensor {
    let dimension = points.size(1)
    var sizes = [Int](repeating: 0, count: clusters)
    for cluster in assignment { sizes[cluster] += 1 }
    var slots: [Int] = []
    var filled = 0
    for size in sizes {
      slots.append(filled)
      filled += size > 0 ? 1 : 0
    }
    let sums = Tensor.zeros([filled, dimension])
    sums.withUnsafeMutableBytes { target in
      let sums = target.bindMemory(to: Float.self)
      points.withUnsafeBytes { source in
        let values = source.bindMemory(to: Float.self)
        for (point, cluster) in assignment.enumerated() {
          let from = point * dimension
          let to = slots[cluster] * dimension
          for column in 0..<dimension { sums[to + column] += values[from + column] }
        }
      }
    }
    return sums
  }
}
