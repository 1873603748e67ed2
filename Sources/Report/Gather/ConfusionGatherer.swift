/// Which labels are taken for which.
struct ConfusionGatherer {
  let table: LabelTable

  /// Classes of which a whole matrix can still be drawn.
  private static let matrixClasses = 200
  private static let pairs = 200
  /// Pairs that examples are shown of, and how many.
  private static let (illustrated, examples) = (12, 5)

  func confusions() -> Confusions {
    struct Pair: Hashable { var label, suggestion: Int }
    var (images, sizes) = ([Pair: [Int]](), [Int: Int]())
    for image in table.judged {
      sizes[table.labels[image], default: 0] += 1
      let suggestion = Int(table.suggestions[image])
      guard table.isWrong[image] == true, suggestion >= 0, suggestion != table.labels[image] else { continue }
      images[Pair(label: table.labels[image], suggestion: suggestion), default: []].append(image)
    }
    let sorted = images.sorted {
      ($1.value.count, $0.key.label, $0.key.suggestion) < ($0.value.count, $1.key.label, $1.key.suggestion)
    }
    let pairs = sorted.prefix(Self.pairs).enumerated().map { rank, pair in
      Confusions.Pair(
        label: pair.key.label, suggestion: pair.key.suggestion, images: pair.value.count,
        share: (Double(pair.value.count) / Double(sizes[pair.key.label] ?? 1)).rounded(to: 6) ?? 0,
        examples: rank < Self.illustrated
          ? SummaryGatherer.worst(pair.value, table, count: Self.examples) : [])
    }
    let classes = table.classNames.count
    guard classes <= Self.matrixClasses, !pairs.isEmpty else {
      return Confusions(pairs: Array(pairs), matrix: nil)
    }
    var matrix = Array(repeating: Array(repeating: 0, count: classes), count: classes)
    for (pair, members) in images { matrix[pair.label][pair.suggestion] = members.count }
    return Confusions(pairs: Array(pairs), matrix: matrix)
  }
}
