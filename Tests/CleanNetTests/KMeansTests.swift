import Testing
import Torch

@testable import CleanNet

@Suite("K-means") struct KMeansTests {
  @Test("K = 1 gives the mean, and its inertia the total variance")
  func oneCluster() {
    let points = Generator(seed: 1).normal([50, 3])
    let result = KMeans(clusters: 1)(points, seed: 0)
    expectClose(result.centroids, points.mean(dim: 0).doubles())
    let variance = (points - points.mean(dim: 0)).squared().sum().item
    #expect(abs(result.inertia - variance) < 1e-3)
  }

  @Test("a class of no more than K images is represented by those themselves")
  func fewerPoints() {
    let points = Generator(seed: 1).normal([3, 4])
    for clusters in [3, 8] {
      let result = KMeans(clusters: clusters)(points, seed: 0)
      #expect(result.centroids.floats() == points.floats() && result.inertia == 0)
    }
  }

  @Test("fewer distinct vectors than clusters: each once, none empty", arguments: [1, 2, 3])
  func duplicates(distinct: Int) {
    let points = Tensor((0..<20).flatMap { [Float($0 % distinct), 1] }, shape: [20, 2])
    let result = KMeans(clusters: 5)(points, seed: 0)
    #expect(result.centroids.floats().isFinite)
    #expect(Set(result.centroids.floats().filter { $0 != 1 }.map { $0.rounded() }).isSubset(of: [0, 2]))
    #expect(result.centroids.size(0) <= 5 && result.centroids.size(0) >= distinct)
    #expect(result.inertia < 1e-6)
  }

  @Test("clusters far apart are found, whatever the seed", arguments: 0..<5)
  func separated(seed: UInt64) {
    let generator = Generator(seed: seed)
    let centres = Tensor([0, 0, 0, 10, 10, 0, 10, 10, 20, 20] as [Float], shape: [5, 2])
    let points =
      centres.indexSelect(Tensor((0..<200).map { $0 % 5 }))
      + generator.normal([200, 2], standardDeviation: 0.1)
    let result = KMeans(clusters: 5)(points, seed: seed)
    let found = Set(result.centroids.floats().map { Int($0.rounded()) }.chunked(2))
    #expect(found == [[0, 0], [0, 10], [10, 0], [10, 10], [20, 20]])
    #expect(result.inertia < 200 * 2 * 0.1 * 0.1 * 1.5)
  }

  @Test("the same seed gives the same centroids, and a sample of many vectors stays close to all")
  func seeds() {
    let points = Generator(seed: 9).normal([400, 8])
    let kMeans = KMeans(clusters: 6)
    #expect(kMeans(points, seed: 1).centroids.floats() == kMeans(points, seed: 1).centroids.floats())
    var sampled = kMeans
    sampled.maximumVectors = 120
    let few = sampled(points, seed: 1).centroids
    let distances = (points.unsqueezed(dim: 1) - few).squared().sum(dim: 2).amin(dim: 1).sum().item
    #expect(distances < 1.3 * kMeans(points, seed: 1).inertia)
  }

  @Test("a step by inner products is Lloyd's: every vector to the nearest mean", arguments: 0..<3)
  func step(seed: UInt64) {
    let points = Generator(seed: seed).normal([40, 5])
    var runs = LloydRuns(
      points.matmul(points.transposed()), clusters: 4, restarts: 3, Generator(seed: seed + 10))
    let before = runs.assignment
    runs.advance(steps: 1)
    for run in 0..<3 {
      let membership = before[run].oneHot(classes: 4).to(.float32)
      let means =
        membership.transposed().matmul(points) / membership.sum(dim: 0).unsqueezed(dim: 1)
      let distances = (points.unsqueezed(dim: 1) - means).squared().sum(dim: 2)
      #expect(runs.assignment[run].ints() == distances.argmin(dim: 1).ints())
      #expect(abs(runs.inertia[run].item - distances.amin(dim: 1).sum().item) < 1e-3)
    }
  }

  @Test("in the end no vector's move to another cluster lowers the inertia", arguments: 0..<3)
  func singleMoves(seed: UInt64) {
    let points = Generator(seed: seed).normal([60, 3])
    func inertia(_ assignment: [Int]) -> Double {
      Set(assignment).reduce(0) { sum, cluster in
        let members = points.indexSelect(Tensor(assignment.indices.filter { assignment[$0] == cluster }))
        return sum + (members - members.mean(dim: 0)).squared().sum().item
      }
    }
    // From a bad start, with a cluster that is empty.
    let start = (0..<60).map { $0 % 4 }
    var moves = SingleMoves(points.matmul(points.transposed()), start, clusters: 5)
    moves.run(maximumPasses: 100)
    let least = inertia(moves.assignment)
    #expect(Set(moves.assignment).count == 5 && least < inertia(start))
    for vector in 0..<60 {
      for cluster in 0..<5 {
        var changed = moves.assignment
        changed[vector] = cluster
        #expect(inertia(changed) > least * (1 - 1e-4))
      }
    }
  }

  @Test("reference sets: zeros and a mask where a class has too few images or none")
  func referenceSets() {
    let features = DenseFeatures(Generator(seed: 1).uniform([12, 4]))
    let sets = ReferenceSets.clustering(
      features, members: [Array(0..<9), [9, 10], [], [11]], normalization: .none,
      kMeans: KMeans(clusters: 3), seed: 0)
    #expect(
      sets.mask.bools() == [true, true, true, true, true, false, false, false, false, true, false, false])
    #expect(sets.references[1][0..<2].floats() == features.rows(9..<11).floats())
    #expect(sets.references[2].floats().allSatisfy { $0 == 0 })
  }

  @Test("reference sets do not depend on the number of threads")
  func threads() {
    let data = NoisyClusters()
    let sets = [1, 2, 3].map { threads in
      ReferenceSets.clustering(
        data.features, members: data.trainingSet().members, normalization: .logPlusOne,
        kMeans: KMeans(clusters: 4), seed: 5, threads: threads
      ).references.floats()
    }
    #expect(sets[0] == sets[1] && sets[0] == sets[2])
  }
}

extension [Float] {
  fileprivate var isFinite: Bool { allSatisfy(\.isFinite) }
}

extension [Int] {
  fileprivate func chunked(_ size: Int) -> [[Int]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<($0 + size)]) }
  }
}
