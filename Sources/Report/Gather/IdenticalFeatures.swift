import Torch
import Workspace

/// Finds images whose features are the same to the last bit, as features of copies are. It is one pass over all images,
/// for data sets that are too large to look at more than a sample closely.
struct IdenticalFeatures {
  let features: any FeatureSource

  private static let chunk = 4096

  /// - Parameters:
  ///   - most: At most this many images, whole groups of them.
  ///   - isMeant: Images that are compared; rows of images that are gone from their source are kept.
  /// - Returns: Images that have a copy, ascending.
  func images(most: Int, where isMeant: (Int) -> Bool = { _ in true }) -> [Int] {
    // One flat list, sorted: one list per image costs several times the memory.
    var hashes: [(hash: UInt64, image: Int)] = []
    hashes.reserveCapacity(features.count)
    for start in stride(from: 0, to: features.count, by: Self.chunk) {
      let range = start..<min(start + Self.chunk, features.count)
      let size = features.dimension * MemoryLayout<Float>.size
      features.rows(range).contiguous().withUnsafeBytes { bytes in
        for (place, image) in range.enumerated() where isMeant(image) {
          let row = UnsafeRawBufferPointer(rebasing: bytes[(place * size)..<((place + 1) * size)])
          // An image without features has a row of NaN.
          guard size > 0, row.loadUnaligned(as: Float.self).isFinite else { continue }
          var hash = StableHash()
          hash.combine(row)
          hashes.append((hash.word, image))
        }
      }
    }
    hashes.sort { ($0.hash, $0.image) < ($1.hash, $1.image) }
    var groups: [Range<Int>] = []
    var start = 0
    while start < hashes.count {
      let end = hashes[start...].firstIndex { $0.hash != hashes[start].hash } ?? hashes.count
      if end - start > 1 { groups.append(start..<end) }
      start = end
    }
    var images: [Int] = []
    for group in groups.sorted(by: { hashes[$0.lowerBound].image < hashes[$1.lowerBound].image })
    where images.count + group.count <= most { images += hashes[group].map(\.image) }
    return images.sorted()
  }
}
