import Foundation

/// Features in half precision, in memory or in a file that is gone with them.
package struct HalfFeatures: FeatureSource {
  private let values: HalfRows

  /// All zero.
  ///
  /// - Parameter scratch: A folder for the file; nil: memory.
  package init(count: Int, dimension: Int, scratch: String?) {
    if let scratch {
      // Where there can be no folder, memory serves.
      try? FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    }
    let bytes = HalfRows.byteCount(count, dimension: dimension)
    values = HalfRows(.passing(bytes, in: scratch), count: count, dimension: dimension)
  }

  /// Sets the rows from `start` on: `[n, d]`. Nobody else may be at them.
  package func set(from start: Int, _ rows: Tensor) { values.set(from: start, rows) }

  package var count: Int { values.count }
  package var dimension: Int { values.dimension }
  package func rows(_ indices: [Int]) -> Tensor { values.rows(indices.map { Int32($0) }) }
  package func rows(_ range: Range<Int>) -> Tensor { values.rows(range) }
}
