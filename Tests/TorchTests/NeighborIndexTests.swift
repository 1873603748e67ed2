import Foundation
import Testing
import Torch

@Suite("Index of neighbors") struct NeighborIndexTests {
  /// Vectors around some centers, as features of classes are.
  private func vectors(_ count: Int, seed: UInt64 = 0) -> Tensor {
    let generator = Generator(seed: seed)
    let centers = generator.normal([40, 24])
    return (centers.indexSelect(generator.integers(below: 40, count: count)) + generator.normal([count, 24]))
      .normalized()
  }

  @Test("few vectors are all compared, many by lists that find the wished share", arguments: [500, 9000])
  func recall(count: Int) throws {
    let all = vectors(count + 100)
    let rows = all[0..<count]
    let queries = all[count..<count + 100]
    let (index, order) = NeighborIndex.build(DenseFeatures(rows), k: 10, recall: 0.95, threads: 2)
    #expect(index.count == count && order.sorted() == Array(0..<count))
    #expect((index.probes > 1) == (count > 5000))
    let found = index.nearest(queries, k: 10)
    let exact = queries.matmul(rows.transposed()).topK(10).indices.ints()
    let hits = (0..<100).reduce(0) { sum, query in
      let own = Set(found.rows[query * 10..<(query + 1) * 10].map { order[Int($0)] })
      return sum + exact[query * 10..<(query + 1) * 10].count { own.contains($0) }
    }
    #expect(hits >= (count > 5000 ? 900 : 985), "\(hits) of 1000")

    let path = FileManager.default.temporaryDirectory.path + "/index-\(UUID().uuidString).safetensors"
    defer { unlink(path) }
    try SafeTensors.write(tensors: index.stored, to: path)
    let again = try NeighborIndex(Checkpoint.read(path: path)).nearest(queries, k: 10)
    #expect(again.rows == found.rows && again.cosines == found.cosines)
  }

  @Test("a query finds the same neighbors whatever is asked beside it, to the bit", arguments: [1500, 9000])
  func alone(count: Int) {
    let all = vectors(count + 300)
    let index = NeighborIndex.build(DenseFeatures(all[0..<count]), k: 10, threads: 2).index
    let queries = all[count..<count + 300]
    let together = index.nearest(queries, k: 10)
    for (size, start) in [(1, 0), (1, 299), (7, 100), (128, 150)] {
      let batch = index.nearest(queries[start..<start + size], k: 10)
      let own = start * 10..<(start + size) * 10
      #expect(batch.rows == Array(together.rows[own]))
      #expect(batch.cosines == Array(together.cosines[own]))
    }
  }

  @Test("of fewer vectors than asked for, all are found")
  func few() {
    let index = NeighborIndex.build(DenseFeatures(vectors(3)), k: 10, threads: 1).index
    #expect(index.nearest(vectors(2, seed: 1), k: 5).rows.count { $0 >= 0 } == 6)
  }
}
