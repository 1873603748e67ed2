import Foundation
import Testing

@testable import Torch

@Suite("Neighbors of many examples") final class NeighborSearchTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Points of a curved surface of few dimensions in a space of more, with a little noise: no clusters.
  private static func surface(_ count: Int, dimension: Int = 12, seed: UInt64 = 1) -> Tensor {
    let generator = Generator(seed: seed)
    let inner = generator.uniform([count, 4], low: -2, high: 2)
    let bent = inner.matmul(generator.normal([4, dimension])).tanh()
    return bent + generator.normal([count, dimension]) * 0.05
  }

  private static func search(k: Int = 10, recall: Double = 0.9, exactBelow: Int = 100) -> NeighborSearch {
    var search = NeighborSearch(k: k)
    search.recall = recall
    search.exactBelow = exactBelow
    return search
  }

  private static func all(_ found: Neighborhoods) -> [[Int]] {
    (0..<found.count).map { found.neighbors(of: $0) }
  }

  private static func overlap(_ some: [[Int]], _ others: [[Int]]) -> Double {
    let hits = zip(some, others).reduce(0) { $0 + Set($1.0).intersection($1.1).count }
    return Double(hits) / Double(others.reduce(0) { $0 + $1.count })
  }

  @Test("are exact where there are few")
  func few() {
    let data = DenseFeatures(Self.surface(300))
    let found = Self.search(exactBelow: 1000)(data, threads: 2)
    let exact = nearestNeighbors(data, queries: Array(0..<300), k: 10, threads: 2)
    #expect(Self.all(found) == (0..<300).map { exact.neighbors($0).map { Int($0) } })
    #expect(found.quality == .exact(wanted: 0.9, duplicates: 0) && found.firstOfEach == nil)
  }

  @Test("reach the recall that is wished, and say truly how much they reach")
  func recall() {
    let data = DenseFeatures(Self.surface(2000))
    let exact = nearestNeighbors(data, queries: Array(0..<2000), k: 10, threads: 2)
    let truth = (0..<2000).map { exact.neighbors($0).map { Int($0) } }
    var searched: [Int] = []
    for wish in [0.7, 0.9, 0.98] {
      let found = Self.search(recall: wish)(data, threads: 2)
      let reached = Self.overlap(Self.all(found), truth)
      #expect(reached > wish - 0.02 && abs(found.quality.reached - reached) < 0.02)
      #expect(found.quality.wanted == wish && found.quality.lists > 90)
      searched.append(found.quality.probes)
    }
    // Not by searching everything.
    #expect(searched == searched.sorted() && searched[0] < searched[2] && searched[1] < 30)
  }

  @Test("are the exact ones where all are wished")
  func everything() {
    // Multiples of 1/8 are exact in half precision, so that even ties come out alike.
    let points = (Self.surface(1500, dimension: 6) * 8).floor() / 8
    let found = Self.search(recall: 1)(DenseFeatures(points), threads: 2)
    #expect(found.quality.reached > 0.999)
  }

  @Test("are the same for any number of threads")
  func threads() {
    let data = DenseFeatures(Self.surface(1200))
    let one = Self.search()(data, threads: 1)
    let three = Self.search()(data, threads: 3)
    #expect(Self.all(one) == Self.all(three) && one.quality == three.quality)
  }

  /// The first 40 points each stand again later: as they are, with another length, and up to rounding.
  private static func withCopies() -> (Tensor, first: [Int]) {
    let points = surface(1200)
    let copied = points[0..<40]
    let noise = Generator(seed: 5).normal([40, 12]) * 1e-5
    let first = Array(0..<1200) + (0..<120).map { $0 % 40 }
    return (.concatenate([points, copied, copied * 4, copied + noise]), first)
  }

  @Test("count duplicates as one, whichever way they are searched", arguments: [100, 10_000])
  func duplicates(exactBelow: Int) throws {
    let (points, first) = Self.withCopies()
    let found = Self.search(recall: 1, exactBelow: exactBelow)(DenseFeatures(points), threads: 2)
    let firsts = try #require(found.firstOfEach)
    #expect(Array(firsts[0..<1280]) == Array(first[0..<1280]))
    // Of two that are the same but for rounding a border between lists may run through the middle.
    let same = (1280..<1320).count { firsts[$0] == first[$0] }
    #expect(exactBelow > 1320 ? same == 40 : same >= 37)
    #expect(found.quality.duplicates == 80 + same && found.groupCount == 1240 - same)
    for example in 0..<found.count {
      let near = found.neighbors(of: example)
      #expect(
        Set(near).count == 10 && !near.contains(firsts[example]) && near.allSatisfy { firsts[$0] == $0 })
    }
    if same == 40 {
      let single = Self.search(recall: 1, exactBelow: 10_000)(DenseFeatures(points[0..<1200]), threads: 2)
      #expect(Self.all(found) == first.map { single.neighbors(of: $0) })
    }
  }

  @Test("of examples that are all the same are none")
  func sameEverywhere() {
    for exactBelow in [1, 1000] {
      let found = Self.search(exactBelow: exactBelow)(DenseFeatures(.ones([300, 4])), threads: 2)
      #expect(found.groupCount == 1 && found.k == 0 && found.neighbors(of: 7).isEmpty)
    }
  }

  @Test("are kept, and found again by the vectors that they belong to and by no others")
  func kept() throws {
    let store = NeighborStore(folder: folder)
    let data = DenseFeatures(Self.surface(1500))
    let search = Self.search()
    let found = Self.all(search(data, store: store, threads: 2))
    #expect(found == Self.all(search(data, threads: 2)))
    // They are really read: what a changed table says is believed as long as its digests say the same.
    try change(rows: 1500, k: 10, isKnown: true)
    let changed = Self.all(search(data, store: store, threads: 2))
    #expect(changed[0..<1500].contains { $0.allSatisfy { $0 == 3 } })
    // Damage is found.
    try change(rows: 1500, k: 10, isKnown: false)
    #expect(Self.all(search(data, store: store, threads: 2)) == found)
    #expect(Self.all(search(DenseFeatures(Self.surface(1500, seed: 2)), store: store, threads: 2)) != found)
    // The neighbors found first are as they were, although other neighbors lie in their place now.
    let kept = search(data, store: store, threads: 2)
    _ = search(DenseFeatures(Self.surface(1500, seed: 2)), store: store, threads: 2)
    #expect(Self.all(kept) == found)
  }

  /// Writes 3 over a row of the table.
  private func change(rows: Int, k: Int, isKnown: Bool) throws {
    let table = try #require(MappedBytes(path: "\(folder)/neighbors.i32", count: rows * k * 4))
    withExtendedLifetime(table) {
      let values = table.bytes.bindMemory(to: Int32.self)
      for place in 0..<k { values[700 * k + place] = isKnown ? 3 : 4 }
    }
    guard isKnown else { return }
    NeighborJournal(
      table, rows: rows, width: k * 4, block: 4096, store: NeighborStore(folder: folder)
    ).markAll()
  }

  @Test("that were sought in part are sought on, not again")
  func resumed() throws {
    let store = NeighborStore(folder: folder)
    let data = DenseFeatures(Self.surface(1100))
    var search = Self.search(k: 5)
    search.block = 1000
    let first = search(data, store: store, threads: 2)
    let found = Self.all(first)
    try #require(first.groupCount == data.count)
    // As if the program had ended after the first block: no word of the quality, and the second block is not there.
    var lists = try #require(Checkpoint.readSealed(path: "\(folder)/lists.safetensors"))
    lists.metadata["quality"] = nil
    try lists.writeSealed(to: "\(folder)/lists.safetensors")
    let marks = try #require(MappedBytes(path: "\(folder)/blocks.u64", count: 16))
    let table = try #require(MappedBytes(path: "\(folder)/neighbors.i32", count: data.count * 20))
    withExtendedLifetime((marks, table)) {
      let values = marks.bytes.bindMemory(to: UInt64.self)
      let digest = values[0]
      #expect(digest != 0 && values[1] != 0)
      values[1] = 0
      let neighbors = table.bytes.bindMemory(to: Int32.self)
      for place in search.block * 5..<data.count * 5 { neighbors[place] = 0 }
      let journal = NeighborJournal(
        table, rows: data.count, width: 20, block: search.block, store: store)
      #expect(journal.pending == [1])
      #expect(Self.all(search(data, store: store, threads: 2)) == found)
      #expect(journal.pending.isEmpty && values[0] == digest)
    }
  }

  @Test("are sought in memory where nothing can be written")
  func noRoom() {
    let store = NeighborStore(folder: "/proc/nothing-can-be-made-here")
    let data = DenseFeatures(Self.surface(500))
    #expect(
      Self.all(Self.search()(data, store: store, threads: 2)) == Self.all(Self.search()(data, threads: 2)))
  }
}
