import Files

/// Which examples are near each other, and which are the same: the outcome of ``NeighborSearch``.
///
/// Examples whose vectors are the same but for rounding are a *group* of duplicates, which is near others as one. Its
/// first example stands for it.
package struct Neighborhoods: Sendable {
  /// The number of examples, N.
  package var count: Int { places.count }
  /// Neighbors of each group; fewer than asked for where there are fewer groups.
  package let k: Int
  package let quality: NeighborQuality
  /// Per example the place of its group in ``images`` and in the table.
  private let places: [Int32]
  /// Per group its first example.
  private let firsts: [Int32]
  /// First examples of the neighbors' groups, `[groups, k]`, the most similar first; −1 where fewer were found.
  private let table: MappedBytes

  init(k: Int, quality: NeighborQuality, places: [Int32], firsts: [Int32], table: MappedBytes) {
    precondition(table.bytes.count == firsts.count * k * 4, "the table does not fit the groups")
    self.k = k
    self.quality = quality
    self.places = places
    self.firsts = firsts
    self.table = table
  }

  /// Groups of examples, including groups of one.
  package var groupCount: Int { firsts.count }

  /// The first example that is the same as this one: itself, where there is no earlier one.
  package func first(of example: Int) -> Int { Int(firsts[Int(places[example])]) }

  /// Of each example the first that is the same; nil where no two are the same.
  package var firstOfEach: [Int]? {
    groupCount == count ? nil : places.map { Int(firsts[Int($0)]) }
  }

  /// Writes the neighbors of some examples, `[examples, k]`: first examples of their groups, −1 where there are fewer.
  package func copyNeighbors(of examples: Range<Int>, into target: UnsafeMutableBufferPointer<Int>) {
    precondition(target.count >= examples.count * k, "there is no room for the neighbors")
    MemoryLimit.didRead(examples.count * MemoryLimit.randomRead)
    let table = table.bytes.bindMemory(to: Int32.self)
    var next = 0
    for example in examples {
      let start = Int(places[example]) * k
      for place in start..<start + k {
        target[next] = Int(table[place])
        next += 1
      }
    }
  }

  /// The neighbors of one example: first examples of their groups, the most similar first.
  package func neighbors(of example: Int) -> [Int] {
    guard k > 0 else { return [] }
    return withUnsafeTemporaryAllocation(of: Int.self, capacity: k) { buffer in
      copyNeighbors(of: example..<example + 1, into: buffer)
      return buffer.filter { $0 >= 0 }
    }
  }
}

/// How neighbors were searched, and how many of the true ones were found.
public struct NeighborQuality: Sendable, Hashable, Codable {
  /// The recall that was asked for.
  public var wanted: Double
  /// Of the true nearest neighbors the share that was found, measured on `sample` examples; 1 where the search is exact.
  public var reached: Double
  /// Examples on which it was measured; 0 where the search is exact.
  public var sample: Int
  /// Lists that the examples lie in, and of these how many were searched for each; 0 where the search is exact.
  public var lists: Int
  public var probes: Int
  /// Examples that are the same as an earlier one.
  public var duplicates: Int

  static func exact(wanted: Double, duplicates: Int) -> NeighborQuality {
    NeighborQuality(wanted: wanted, reached: 1, sample: 0, lists: 0, probes: 0, duplicates: duplicates)
  }
}
