import Torch
import Workspace

/// Finds images whose features are the same to the last bit, as those of copies are: one pass over all of them, for data
/// sets of which only a sample can be looked at more closely.
struct IdenticalFeatures {
  let features: any FeatureSource

  private static let chunk = 4096

  /// - Parameter most: At most so many images, whole groups of them.
  /// - Returns: Images that have a copy, ascending.
  func images(most: Int) -> [Int] {
    var groups: [UInt64: [Int]] = [:]
    for start in stride(from: 0, to: features.count, by: Self.chunk) {
      let range = start..<min(start + Self.chunk, features.count)
      let size = features.dimension * MemoryLayout<Float>.size
      features.rows(range).contiguous().withUnsafeBytes { bytes in
        for (place, image) in range.enumerated() {
          let row = UnsafeRawBufferPointer(rebasing: bytes[(place * size)..<((place + 1) * size)])
          // An image without features has a row of NaN.
          guard size > 0, row.loadUnaligned(as: Float.self).isFinite else { continue }
          var hash = StableHash()
          hash.combine(row)
          groups[hash.word, default: []].append(image)
        }
      }
    }
    var images: [Int] = []
    for group in groups.values.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] })
    where images.count + group.count <= most { images += group }
    return images.sorted()
  }
}
