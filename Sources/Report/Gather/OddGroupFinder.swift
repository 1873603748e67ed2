/// Finds classes whose images differ from the others in what is no matter of their content: a model may learn that a dark
/// image is a raven.
struct OddGroupFinder {
  let table: LabelTable
  /// The images looked at, and the facts known about them.
  let ids: [Int]
  let signatures: [ImageSignature?]

  /// A class with fewer images looked at says nothing; means this many deviations apart are worth a word.
  private static let fewest = 20
  private static let apart = 1.5
  private static let most = 20

  private static let properties: [(name: String, measure: @Sendable (ImageSignature) -> Double)] = [
    ("brightness", { $0.luminance }), ("contrast", { $0.contrast }), ("sharpness", { $0.sharpness }),
    ("size in pixels", { Double(min($0.width, $0.height)) }),
    ("width divided by height", { Double($0.width) / Double(max(1, $0.height)) }),
  ]

  /// The farthest apart first.
  func find() -> [OddGroup] {
    let known = zip(ids, signatures).compactMap { id, signature in
      signature.flatMap { table.allLabels[id] >= 0 ? (label: table.allLabels[id], signature: $0) : nil }
    }
    let groups = Self.properties.flatMap { property in
      Self.odd(known.map { ($0.label, property.measure($0.signature)) }, property.name)
    }
    return Array(groups.sorted { ($0.distance, $1.label) > ($1.distance, $0.label) }.prefix(Self.most))
  }

  static func odd(_ values: [(label: Int, value: Double)], _ property: String) -> [OddGroup] {
    let count = Double(values.count)
    let sum = values.reduce(0) { $0 + $1.value }
    let squares = values.reduce(0) { $0 + ($1.value - sum / count) * ($1.value - sum / count) }
    let deviation = (squares / max(1, count - 1)).squareRoot()
    guard deviation > 0 else { return [] }
    return Dictionary(grouping: values, by: \.label).compactMap { label, members -> OddGroup? in
      let size = Double(members.count)
      guard members.count >= fewest, values.count - members.count >= fewest else { return nil }
      let own = members.reduce(0) { $0 + $1.value }
      let mean = own / size
      let elsewhere = (sum - own) / (count - size)
      let distance = abs(mean - elsewhere) / deviation
      guard distance >= apart else { return nil }
      return OddGroup(
        label: label, property: property, mean: mean.rounded(to: 3) ?? 0,
        elsewhere: elsewhere.rounded(to: 3) ?? 0, distance: distance.rounded(to: 2) ?? 0,
        images: members.count)
    }
  }
}
