import Evaluation
import Foundation
import Workspace

/// The figures at the top, and those of each class.
struct SummaryGatherer {
  let workspace: Workspace
  let table: LabelTable

  func about(_ inputs: ReportInputs) throws -> About {
    struct Objective: Decodable { var objective: String }
    struct Scoring: Decodable {
      struct Neighbors: Decodable { var reached: Double }
      var neighbors: Neighbors?
    }
    let training = try workspace.finishedRun(stage: "train")?.metrics
    let scoring = try workspace.finishedRun(stage: "score")?.metrics
    return About(
      name: URL(fileURLWithPath: workspace.path).lastPathComponent, workspace: workspace.path,
      made: Date(timeIntervalSince1970: Date.now.timeIntervalSince1970.rounded()),
      version: ProgramVersion.current,
      sources: try workspace.sources().map {
        About.Source(path: $0.path, format: $0.format, images: $0.samples.count)
      },
      features: inputs.featuresAbout,
      objective: training.flatMap {
        try? JSONDecoder().decode(Objective.self, from: Data($0.utf8)).objective
      },
      neighborRecall: scoring.flatMap {
        try? JSONDecoder().decode(Scoring.self, from: Data($0.utf8)).neighbors?.reached
      },
      isStale: inputs.isStale, basis: table.basis.rawValue, truth: inputs.truthName)
  }

  func summary() throws -> Summary {
    let judged = table.judged
    let classes = Set(table.verdicts.keys.map { table.labels[$0] })
    let guarantee = noiseGuarantee
    let problems = try workspace.problems()
    var splits = Array(repeating: 0, count: table.splitNames.count)
    for image in table.present { splits[Int(table.splits[image])] += 1 }
    return Summary(
      images: table.present.count, classes: table.classNames.count,
      splits: zip(table.splitNames, splits).map { Summary.Split(name: $0, images: $1) },
      judged: judged.count, calledWrong: judged.count { table.isWrong[$0] == true },
      estimatedNoise: expectedNoise(judged),
      estimatedNoiseVerifiedClasses: expectedNoise(judged.filter { classes.contains(table.labels[$0]) }),
      verified: Share(table.randomVerdicts.values.count { !$0 }, of: table.randomVerdicts.count),
      looked: table.verdicts.count + table.unsure, unsure: table.unsure, unsureDrawn: table.unsureDrawn,
      contradicted: contradicted,
      conclusion: ConclusionFinder(
        isJudged: !judged.isEmpty, noise: expectedNoise(judged.filter(table.isKept)),
        guarantee: guarantee?.overall
      ).conclusion,
      verifiedClasses: classes.count, verifiedUnevenly: isUneven,
      guarantee: guarantee.map {
        Summary.Guarantee(
          confidence: $0.confidence, upper: rounded($0.overall.upper),
          upperAtAnyTime: rounded($0.overall.upperAtAnyTime), kept: $0.overall.kept,
          sample: $0.overall.sample, wrong: $0.overall.wrong)
      },
      unreadable: Set(problems.map(\.sample)).count)
  }

  /// Verdicts of which the model says the opposite with a probability of at least 0.8.
  private var contradicted: Int {
    table.verdicts.count { image, isRight in
      let probability = table.probability[image]
      return isRight ? probability <= 0.2 : probability >= 0.8
    }
  }

  /// By the verdicts of today: each verified image is judged as if nobody had looked.
  var noiseGuarantee: NoiseGuarantee? {
    guard table.scoreKey != nil else { return nil }
    let judged = table.randomVerdicts.filter { table.isWrong[$0.key] != nil }
    return NoiseGuarantee(
      labels: table.labels, isKept: table.labels.indices.map(table.isKept), verdicts: judged)
  }

  /// Figures, histogram and the images that represent the class.
  func classes(perClass: (suspicious: Int, borderline: Int), sections: Int) -> [ClassReport] {
    let upper = noiseGuarantee?.perClass ?? [:]
    let range = scoreRange
    var reports = table.members.enumerated().map { label, members -> ClassReport in
      let judged = members.filter { table.isWrong[$0] != nil }
      let verified = members.filter { table.randomVerdicts[$0] != nil }
      return ClassReport(
        name: table.classNames[label], images: members.count, judged: judged.count,
        calledWrong: judged.count { table.isWrong[$0] == true }, estimatedNoise: expectedNoise(judged),
        verified: Share(verified.count { table.randomVerdicts[$0] == false }, of: verified.count),
        guaranteedUpper: (upper[label]?.upper).map(rounded), histogram: histogram(judged, range),
        suspicious: [], borderline: [], isDetailed: false)
    }
    // The noisiest get sections; the order of the classes stays.
    let order = reports.indices.filter { reports[$0].judged > 0 }.sorted {
      (reports[$0].estimatedNoise ?? 0, $1) > (reports[$1].estimatedNoise ?? 0, $0)
    }
    let members = table.members
    for label in order.prefix(sections) {
      reports[label].isDetailed = true
      let judged = members[label].filter { table.isWrong[$0] != nil }
      let suspicious = Self.worst(judged, table, count: perClass.suspicious)
      reports[label].suspicious = suspicious
      reports[label].borderline = borderline(judged, without: Set(suspicious), count: perClass.borderline)
    }
    return reports
  }

  /// The lowest scores among the labels called wrong, unverified ones first.
  static func worst(_ images: [Int], _ table: LabelTable, count: Int) -> [Int] {
    let wrong = images.filter { table.isWrong[$0] == true }.sorted {
      (table.score[$0], $0) < (table.score[$1], $1)
    }
    let unverified = wrong.filter { table.verdicts[$0] == nil }.prefix(count)
    let verified = wrong.filter { table.verdicts[$0] != nil }.prefix(count - unverified.count)
    return Array(unverified + verified)
  }

  private func borderline(_ images: [Int], without shown: Set<Int>, count: Int) -> [Int] {
    func distance(_ image: Int) -> Float { abs(table.score[image] - table.threshold[image]) }
    return Array(
      images.filter { table.verdicts[$0] == nil && !shown.contains($0) }
        .sorted { (distance($0), $0) < (distance($1), $1) }.prefix(count))
  }

  private func histogram(_ judged: [Int], _ range: ClosedRange<Double>) -> ScoreHistogram? {
    guard let first = judged.first else { return nil }
    var histogram = ScoreHistogram(
      low: range.lowerBound, high: range.upperBound, threshold: rounded(Double(table.threshold[first])))
    for image in judged {
      let bin = histogram.bin(Double(table.score[image]))
      switch (table.verdicts[image], table.isWrong[image] == true) {
      case (true?, _): histogram.right[bin] += 1
      case (false?, _): histogram.wrong[bin] += 1
      case (nil, true): histogram.dropped[bin] += 1
      case (nil, false): histogram.kept[bin] += 1
      }
    }
    return histogram
  }

  var scoreRange: ClosedRange<Double> { table.basis == .cosine ? -1...1 : 0...1 }

  private func expectedNoise(_ images: [Int]) -> Double? {
    guard !images.isEmpty else { return nil }
    let sum = images.reduce(0.0) { $0 + 1 - Double(table.probability[$1]) }
    return rounded(sum / Double(images.count))
  }

  private var isUneven: Bool {
    var sizes = [Int: Int]()
    var verified = [Int: Int]()
    for label in table.labels where label >= 0 { sizes[label, default: 0] += 1 }
    for sample in table.randomVerdicts.keys { verified[table.labels[sample], default: 0] += 1 }
    let rates = verified.map { Double($1) / Double(sizes[$0] ?? 1) }
    guard let least = rates.min(), let most = rates.max() else { return false }
    return most > 2 * least
  }

  private func rounded(_ value: Double) -> Double { value.rounded(to: 6) ?? 0 }
}
