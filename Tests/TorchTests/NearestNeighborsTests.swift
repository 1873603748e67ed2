import Testing
import Torch

@Suite struct NearestNeighborsTests {
  private func features(_ count: Int, _ dimension: Int, seed: UInt64 = 0) -> DenseFeatures {
    DenseFeatures(Generator(seed: seed).normal([count, dimension]))
  }

  /// By definition, one pair at a time.
  private func expected(_ features: DenseFeatures, _ query: Int, keys: [Int], k: Int) -> [Int] {
    let unit = features.values.normalized()
    let cosines = unit.matmul(unit[query].unsqueezed(dim: 1)).floats()
    return Array(keys.filter { $0 != query }.sorted { cosines[$0] > cosines[$1] }.prefix(k))
  }

  @Test func areThoseOfTheDefinition() {
    // More queries than a block holds, and queries that are no keys.
    let data = features(1100, 5)
    let queries = Array(0..<1100)
    let keys = Array(stride(from: 0, to: 1100, by: 3))
    let found = nearestNeighbors(data, queries: queries, among: keys, k: 4, threads: 2)
    for query in [0, 1, 3, 511, 512, 1099] {
      #expect(found.neighbors(query).map(Int.init) == expected(data, query, keys: keys, k: 4))
    }
  }

  /// Several blocks of examples, in no order, which are compared with each other once.
  @Test func amongThemselvesAreThoseOfTheDefinition() {
    let data = features(3000, 5)
    var random = SplitMix64(seed: 3)
    let examples = Array((0..<2500).shuffled(using: &random))
    let found = nearestNeighbors(data, queries: examples, k: 7, threads: 2)
    for place in stride(from: 0, to: 2500, by: 83) {
      #expect(found.neighbors(place).map(Int.init) == expected(data, examples[place], keys: examples, k: 7))
    }
    #expect(nearestNeighbors(data, queries: examples, k: 7, threads: 1).indices == found.indices)
  }

  @Test func equallySimilarOnesComeInTheirOrderAmongThemselves() {
    let found = nearestNeighbors(DenseFeatures(.ones([700, 2])), queries: Array(0..<700), k: 3, threads: 2)
    for place in 0..<700 {
      #expect(found.neighbors(place) == (0...3).filter { $0 != place }.prefix(3).map(Int32.init)[...])
    }
  }

  @Test func keysBeyondOneBlockCount() {
    let data = features(5000, 3)
    let found = nearestNeighbors(data, queries: [7, 4998], among: Array(0..<5000), k: 6, threads: 1)
    #expect(found.neighbors(0).map(Int.init) == expected(data, 7, keys: Array(0..<5000), k: 6))
    #expect(found.neighbors(1).map(Int.init) == expected(data, 4998, keys: Array(0..<5000), k: 6))
  }

  @Test func equallySimilarOnesComeInTheirOrder() {
    let found = nearestNeighbors(
      DenseFeatures(.ones([6, 2])), queries: [3], among: Array(0..<6), k: 3, threads: 1)
    #expect(found.indices == [0, 1, 2])
  }

  @Test func thereAreNoMoreThanThereAre() {
    let few = nearestNeighbors(features(3, 2), queries: [0, 1, 2], k: 10, threads: 1)
    #expect(few.k == 2 && few.indices.count == 6 && !few.indices.contains(-1))
    #expect(nearestNeighbors(features(1, 2), queries: [0], k: 3, threads: 1).k == 0)
    let own = nearestNeighbors(
      features(3, 2), queries: [1], among: [0, 1, 2], k: 1, excludingSelf: false, threads: 1)
    #expect(own.indices == [1])
  }

  @Test func halfTheMemoryMovesCosinesLittle() {
    let data = features(300, 64)
    let exact = nearestNeighbors(data, queries: Array(0..<300), k: 1, threads: 1)
    let rough = nearestNeighbors(data, queries: Array(0..<300), k: 1, storage: .bfloat16, threads: 1)
    for (a, b) in zip(exact.similarities, rough.similarities) { #expect(abs(a - b) < 2e-3) }
    #expect(exact.similarities != rough.similarities)
  }
}
