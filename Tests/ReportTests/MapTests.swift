import Testing
import Torch

@testable import Report

@Suite struct MapTests {
  @Test func neighborsStayNeighbors() {
    let generator = Generator(seed: 1)
    let clusters = 4
    let each = 30
    let dimension = 12
    let centers = generator.normal([clusters, dimension], standardDeviation: 6)
    let points = Tensor.concatenate((0..<clusters).map { centers[$0] + generator.normal([each, dimension]) })
    let start = generator.normal([clusters * each, 2])
    let embedding = NeighborhoodEmbedding(perplexity: 10, steps: 250)
    let plane = embedding(points, start: start).doubles()
    #expect(plane == embedding(points, start: start).doubles())
    func distance(_ a: Int, _ b: Int) -> Double {
      let x = plane[2 * a] - plane[2 * b]
      let y = plane[2 * a + 1] - plane[2 * b + 1]
      return x * x + y * y
    }
    for point in 0..<(clusters * each) {
      let nearest = (0..<(clusters * each)).filter { $0 != point }.min {
        distance(point, $0) < distance(point, $1)
      }
      #expect(nearest.map { $0 / each } == point / each)
    }
  }

  @Test func setsGrowTogether() {
    var sets = UnionFind(8)
    for (a, b) in [(5, 2), (2, 7), (1, 1), (3, 4)] { sets.join(a, b) }
    #expect(sets.groups == [[2, 5, 7], [3, 4]])
    sets.join(4, 7)
    #expect(sets.groups == [[2, 3, 4, 5, 7]])
    #expect(sets.root(7) == 2 && sets.root(0) == 0)
  }
}

@Suite struct FeatureTests {
  @Test func copiesAreFoundAmongAllImages() {
    let rows: [[Float]] = [
      [1, 2], [3, 4], [1, 2], [.nan, .nan], [.nan, .nan], [3, 4.001], [1, 2], [3, 4],
    ]
    let features = DenseFeatures(Tensor(rows.flatMap { $0 }, shape: [8, 2]))
    let finder = IdenticalFeatures(features: features)
    #expect(finder.images(most: 10) == [0, 1, 2, 6, 7])
    // The second group would be too many.
    #expect(finder.images(most: 4) == [0, 2, 6])
  }
}
