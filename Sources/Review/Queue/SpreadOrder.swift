import Torch

/// Orders images so that every beginning of the order is spread over the class as its images are.
///
/// Each cluster's images, in random order, are dealt out evenly over the whole. Every image is as likely as any other to
/// stand in a given place, so that a beginning of the order is a fair sample (stratified, proportional): what is found
/// in it holds for the class.
enum SpreadOrder {
  /// - Parameter clusters: By cluster its samples, in random order.
  static func of(_ clusters: [[Int]], seed: UInt64) -> [Int] {
    var random = SplitMix64(seed: seed)
    var places: [(place: Double, sample: Int)] = []
    for cluster in clusters {
      for (index, sample) in cluster.enumerated() {
        let place = (Double(index) + Double.random(in: 0..<1, using: &random)) / Double(cluster.count)
        places.append((place, sample))
      }
    }
    return places.sorted { ($0.place, $0.sample) < ($1.place, $1.sample) }.map(\.sample)
  }
}
