/// The `k` most similar so far for each of some rows, sorted: by falling cosine, of equal ones the earlier key first. The
/// outcome does not depend on the order in which they come.
struct NeighborLists: Sendable {
  let k: Int
  /// `[rows, k]`; −1 where there are fewer.
  private(set) var keys: [Int32]
  private(set) var cosines: [Float]
  /// The last cosine that is kept in each row: less similar ones need no look.
  private var least: [Float]

  /// Values that are looked at together. Almost all are below what is kept, which a loop without branches finds out at
  /// several a cycle.
  private static let group = 64

  init(rows: Int, k: Int) {
    self.k = k
    keys = Array(repeating: -1, count: rows * k)
    cosines = Array(repeating: -.infinity, count: rows * k)
    least = Array(repeating: -.infinity, count: rows)
  }

  /// Offers one row the examples with consecutive keys, with their cosines, but for one of them.
  mutating func offer(
    _ row: Int, _ values: UnsafeBufferPointer<Float>, keys: Range<Int>, except own: Int? = nil
  ) {
    let own = own.map { Int32($0) }
    offer(row, values, except: own) { Int32(keys.lowerBound + $0) }
  }

  /// Offers one row examples with their keys, with their cosines, but for one of them.
  mutating func offer(
    _ row: Int, _ values: UnsafeBufferPointer<Float>, keys: UnsafeBufferPointer<Int32>,
    except own: Int32? = nil
  ) {
    offer(row, values, except: own) { keys[$0] }
  }

  @inline(__always)
  private mutating func offer(
    _ row: Int, _ values: UnsafeBufferPointer<Float>, except own: Int32?, key: (Int) -> Int32
  ) {
    var start = 0
    while start < values.count {
      let end = min(start + Self.group, values.count)
      let atStart = least[row]
      var hits: Int32 = 0
      for column in start..<end { hits &+= values[column] >= atStart ? 1 : 0 }
      if hits > 0 {
        for column in start..<end where values[column] >= least[row] {
          let key = key(column)
          if key != own { insert(values[column], key, row) }
        }
      }
      start = end
    }
  }

  /// Offers each row the example with the key, with its cosine to that row.
  mutating func offer(toAll values: UnsafeBufferPointer<Float>, key: Int) {
    var start = 0
    while start < values.count {
      let end = min(start + Self.group, values.count)
      let hits = least.withUnsafeBufferPointer { least in
        var hits: Int32 = 0
        for row in start..<end { hits &+= values[row] >= least[row] ? 1 : 0 }
        return hits
      }
      if hits > 0 {
        for row in start..<end where values[row] >= least[row] { insert(values[row], Int32(key), row) }
      }
      start = end
    }
  }

  /// Offers each row what another has found for it.
  mutating func merge(_ other: NeighborLists) {
    for row in least.indices {
      for place in row * other.k..<(row + 1) * other.k where other.keys[place] >= 0 {
        if other.cosines[place] >= least[row] { insert(other.cosines[place], other.keys[place], row) }
      }
    }
  }

  /// The examples that the keys are places of; −1 where there are fewer.
  func neighbors(among examples: [Int]) -> [Int32] {
    keys.map { $0 < 0 ? -1 : Int32(examples[Int($0)]) }
  }

  private mutating func insert(_ cosine: Float, _ key: Int32, _ row: Int) {
    // A row's slots lie within the arrays, which are the row's alone: no step needs another check.
    least[row] = cosines.withUnsafeMutableBufferPointer { cosines in
      keys.withUnsafeMutableBufferPointer { keys in
        guard let cosines = cosines.baseAddress.map({ $0 + row * k }),
          let keys = keys.baseAddress.map({ $0 + row * k })
        else { return .infinity }
        var slot = 0
        var end = k
        while slot < end {
          let middle = (slot + end) / 2
          let comesBefore =
            cosine > cosines[middle] || (cosine == cosines[middle] && key < keys[middle])
          if comesBefore { end = middle } else { slot = middle + 1 }
        }
        if slot < k {
          (cosines + slot + 1).update(from: cosines + slot, count: k - slot - 1)
          (keys + slot + 1).update(from: keys + slot, count: k - slot - 1)
          cosines[slot] = cosine
          keys[slot] = key
        }
        return cosines[k - 1]
      }
    }
  }
}
