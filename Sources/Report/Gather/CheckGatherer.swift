import Workspace

/// Looks for images that are bad whatever their labels.
struct CheckGatherer {
  let workspace: Workspace
  let table: LabelTable
  let ids: [Int]
  let signatures: [ImageSignature?]

  /// Images that the page shows of a check, and of images that could not be read.
  private static let shown = 12
  private static let listed = 50
  /// A check that flags a larger share is hidden: it tells what the data set is like, not what is wrong with an image.
  private static let mostShare = 0.5

  /// Larger is worse, from `limit` on an image is flagged.
  private struct Rule {
    var name: String
    var rule: String
    var limit: Double
    var measure: @Sendable (ImageSignature) -> Double
  }

  private static let rules = [
    Rule(name: "Tiny", rule: "shorter side under 48 pixels", limit: -47.5) {
      -Double(min($0.width, $0.height))
    },
    Rule(name: "Odd shape", rule: "one side more than 3 times the other", limit: 3.0001) {
      Double(max($0.width, $0.height)) / Double(max(1, min($0.width, $0.height)))
    },
    Rule(name: "Dark", rule: "mean luminance under 8 % of white", limit: -0.08) { -$0.luminance },
    Rule(name: "Overexposed", rule: "mean luminance over 95 % of white", limit: 0.95) { $0.luminance },
    Rule(name: "Almost one color", rule: "luminance varies by less than 3 % of white", limit: -0.03) {
      -$0.contrast
    },
    // Of 400 sharp photos none has less than 0.24; blurred with a deviation of 4 of 224 pixels, 95 % have less than 0.14.
    Rule(name: "Blurred", rule: "hardly any edges, in images of at least 96 pixels", limit: -0.12) {
      min($0.width, $0.height) >= 96 ? -$0.sharpness : -.infinity
    },
  ]

  func checks() throws -> ImageChecks {
    let problems = try workspace.problems()
    let examined = signatures.count { $0 != nil }
    let unreadable = try problems.prefix(Self.listed).map { problem in
      ImageChecks.Unreadable(path: try workspace.sample(problem.sample)?.path ?? "", what: problem.what)
    }
    return ImageChecks(
      examined: examined, total: table.present.count, unreadable: unreadable, unreadableCount: problems.count,
      checks: examined == 0 ? [] : Self.rules.map { check($0, of: examined) })
  }

  private func check(_ rule: Rule, of examined: Int) -> ImageChecks.Check {
    let flagged = signatures.indices.compactMap { place -> (id: Int, badness: Double)? in
      guard let signature = signatures[place] else { return nil }
      let badness = rule.measure(signature)
      return badness >= rule.limit ? (ids[place], badness) : nil
    }.sorted { ($1.badness, $0.id) < ($0.badness, $1.id) }
    let share = Double(flagged.count) / Double(examined)
    let isHidden = share > Self.mostShare
    return ImageChecks.Check(
      name: rule.name, rule: rule.rule, count: flagged.count, share: share.rounded(to: 6) ?? 0,
      hidden: isHidden ? "This applies to most images, so it is a property of the data set." : nil,
      images: isHidden ? [] : flagged.prefix(Self.shown).map(\.id))
  }
}
