import Evaluation

/// Which labels are taken for which.
struct ConfusionGatherer {
  let table: LabelTable

  /// Classes of which a whole matrix can still be drawn.
  private static let matrixClasses = 200
  private static let pairs = 200
  /// Pairs that examples are shown of, and how many.
  private static let illustrated = 12
  private static let examples = 5

  /// Whether this many are more than chance explains: Clopper and Pearson's lower bound, at 95 % for all pairs together
  /// (Bonferroni), lies above an even share.
  private static func isRemarkable(_ count: Int, of total: Int, among others: Int, pairs: Int) -> Bool {
    guard others > 1, total > 0 else { return false }
    let lower = ClopperPearson.lowerBound(
      successes: count, trials: total, confidence: 1 - 0.05 / Double(max(1, pairs)))
    return lower > 1 / Double(others)
  }

  func confusions() -> Confusions {
    struct Pair: Hashable { var label, suggestion: Int }
    var images = [Pair: [Int]]()
    var sizes = [Int: Int]()
    for image in table.judged {
      sizes[table.labels[image], default: 0] += 1
      let suggestion = Int(table.suggestions[image])
      guard table.isWrong[image] == true, suggestion >= 0, suggestion != table.labels[image] else { continue }
      images[Pair(label: table.labels[image], suggestion: suggestion), default: []].append(image)
    }
    let sorted = images.sorted {
      ($1.value.count, $0.key.label, $0.key.suggestion) < ($0.value.count, $1.key.label, $1.key.suggestion)
    }
    var suspicious: [Int: Int] = [:]
    for (pair, members) in images { suspicious[pair.label, default: 0] += members.count }
    let others = max(1, Set(table.judged.map { table.labels[$0] }).count - 1)
    let pairs = sorted.prefix(Self.pairs).enumerated().map { rank, pair in
      let expected = Double(suspicious[pair.key.label] ?? 0) / Double(others)
      return Confusions.Pair(
        label: pair.key.label, suggestion: pair.key.suggestion, images: pair.value.count,
        share: (Double(pair.value.count) / Double(sizes[pair.key.label] ?? 1)).rounded(to: 6) ?? 0,
        expected: expected.rounded(to: 3),
        isRemarkable: Self.isRemarkable(
          pair.value.count, of: suspicious[pair.key.label] ?? 0, among: others, pairs: sizes.count * others),
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
