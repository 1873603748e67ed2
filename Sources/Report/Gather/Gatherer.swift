import Foundation
import Torch
import Workspace

/// Gathers all that the page says, step by step.
struct Gatherer {
  let workspace: Workspace
  let inputs: ReportInputs
  let report: Report
  let progress: @Sendable (ReportProgress) -> Void
  private let table: LabelTable
  private let reader: ImageReader

  struct Outcome {
    var data: ReportData
    var pictures: Pictures
    var table: LabelTable
    /// All of them, as sample numbers.
    var duplicateGroups: [[Int]]
  }

  /// JPEGs that go into the page.
  struct Pictures {
    /// By sample.
    var thumbnails: [Int: [UInt8]] = [:]
    /// Of the map's points.
    var sprite: [UInt8]?
  }

  init(
    _ workspace: Workspace, inputs: ReportInputs, report: Report,
    progress: @escaping @Sendable (ReportProgress) -> Void
  ) throws {
    self.workspace = workspace
    self.inputs = inputs
    self.report = report
    self.progress = progress
    table = try LabelTable(workspace)
    reader = ImageReader(workspace, threads: report.threads)
  }

  /// Images in the side of the map's pictures, and the share of its points that are the most suspicious ones.
  private static let tile = 32
  private static let suspiciousShare = 0.2
  /// Images at the top of the page.
  private static let gallery = 24
  /// Images that look unlike all classes, and images between two classes.
  private static let listed = 12

  func gather() throws -> Outcome {
    let summaries = SummaryGatherer(workspace: workspace, table: table)
    var data = ReportData(about: try summaries.about(inputs), summary: try summaries.summary())
    data.classes = summaries.classes(perClass: perClass, sections: report.limits.sections)
    data.suspicious = SummaryGatherer.worst(table.judged, table, count: Self.gallery)
    data.confusions = ConfusionGatherer(table: table).confusions()
    data.sweep = SweepGatherer(table: table, truth: inputs.truth).sweep(range: summaries.scoreRange)
    data.quality = QualityGatherer(table: table, truth: inputs.truth, truthName: inputs.truthName).quality()
    let history = HistoryGatherer(workspace: workspace)
    data.history = try history.history()
    data.commands = try history.commands()
    data.classifiers = try ClassifierGatherer(workspace: workspace).classifiers()
    data.comparison = try report.comparison.map {
      try ComparisonGatherer.comparison(with: $0, here: data, table: table, workspace: workspace)
    }

    let present = table.present
    let sampled = sample(present.count, report.limits.examined).map { present[$0] }
    let copies = sampled.count < present.count ? copies() : []
    let examined = Set(sampled).union(copies).sorted()
    let signatures = try signatures(examined)
    data.checks = try CheckGatherer(
      workspace: workspace, table: table, ids: examined, signatures: signatures
    ).checks()
    data.groups = OddGroupFinder(table: table, ids: examined, signatures: signatures).find()
    let features = inputs.features.flatMap { FeatureGatherer($0, among: examined) }
    data.outliers = features.map { $0.outliers(table, count: Self.listed) }
    data.ambiguous = ambiguous()
    let groups = duplicates(examined, signatures, features, &data)
    var pictures = Pictures()
    if let features { (data.map, pictures.sprite) = try map(features) }
    pictures.thumbnails = try cards(&data)
    data.remarks = remarks(data, sampled: sampled.count)
    return Outcome(data: data, pictures: pictures, table: table, duplicateGroups: groups)
  }

  /// Unverified images of which the model cannot say whether their label is right.
  private func ambiguous() -> [Int] {
    let images = table.judged.filter { table.verdicts[$0] == nil && abs(table.probability[$0] - 0.5) < 0.2 }
    return Array(
      images.sorted { (abs(table.probability[$0] - 0.5), $0) < (abs(table.probability[$1] - 0.5), $1) }
        .prefix(Self.listed))
  }

  /// Fewer images of each class where there are many classes.
  private var perClass: (suspicious: Int, borderline: Int) {
    let classes = max(1, min(report.limits.sections, table.classNames.count))
    // About as many references again come with them.
    let each = report.limits.pictures / classes / 3
    return (min(12, max(3, each)), min(6, max(2, each / 2)))
  }

  /// Images that have a copy, by features, in a data set too large to look at every image.
  private func copies() -> [Int] {
    guard let features = inputs.features else { return [] }
    progress(.began("Looking for copies", total: nil, unit: ""))
    let copies = IdenticalFeatures(features: features).images(most: report.limits.examined) {
      table.allLabels[$0] >= 0
    }
    progress(.ended("\(copies.count) images"))
    return copies
  }

  private func signatures(_ ids: [Int]) throws -> [ImageSignature?] {
    progress(.began("Looking at images", total: ids.count, unit: "images"))
    let signatures = try reader.signatures(ids) { [progress] in progress(.reached($0)) }
    progress(.ended("\(signatures.count { $0 != nil }) images"))
    return signatures
  }

  private func duplicates(
    _ ids: [Int], _ signatures: [ImageSignature?], _ features: FeatureGatherer?, _ data: inout ReportData
  ) -> [[Int]] {
    let places = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
    let known = features?.ids ?? ids.filter { places[$0].flatMap { signatures[$0] } != nil }
    guard known.count > 1 else { return [] }
    progress(.began("Looking for duplicates", total: nil, unit: ""))
    let found = DuplicateFinder(
      table: table, ids: known, signatures: known.map { places[$0].flatMap { signatures[$0] } },
      features: features?.projected, threads: report.threads
    ).find()
    data.duplicates = found.data
    progress(.ended("\(found.groups.count) groups"))
    return found.groups
  }

  private func map(_ features: FeatureGatherer) throws -> (FeatureMap, sprite: [UInt8]?) {
    let most = report.limits.mapped
    let suspicious = SummaryGatherer.worst(
      features.ids.filter { table.isWrong[$0] != nil }, table,
      count: Int(Double(most) * Self.suspiciousShare))
    let isSuspicious = Set(suspicious)
    let others = features.ids.filter { !isSuspicious.contains($0) }
    let chosen = (suspicious + sample(others.count, most - suspicious.count).map { others[$0] }).sorted()
    let paths = try chosen.map { try workspace.sample($0)?.path ?? "" }
    progress(.began("Drawing the map", total: FeatureGatherer.mapSteps, unit: "steps"))
    var map = features.map(chosen, table: table, paths: paths, total: table.present.count) { [progress] in
      progress(.reached($0))
    }
    let sprite = Sprite(try reader.tiles(chosen, side: Self.tile), side: Self.tile)
    map.sprite = sprite?.layout
    progress(.ended("\(chosen.count) images"))
    return (map, sprite?.jpeg)
  }

  /// Fills in the images that the page shows, and makes their small copies.
  private func cards(_ data: inout ReportData) throws -> [Int: [UInt8]] {
    let builder = CardBuilder(workspace: workspace, table: table, inputs: inputs)
    var cards = try builder.cards(data)
    let ids = cards.map(\.id)
    progress(.began("Small copies of images", total: ids.count, unit: "images"))
    var side = report.limits.pictureSide
    var thumbnails = try thumbnails(ids, side: side)
    // Base 64 takes a third more, and the page is not pictures alone.
    while thumbnails.values.reduce(0, { $0 + $1.count }) > report.limits.pictureBytes, side > 32 {
      side = side * 3 / 4
      thumbnails = try self.thumbnails(ids, side: side)
    }
    for place in cards.indices { cards[place].hasThumbnail = thumbnails[cards[place].id] != nil }
    progress(.ended("\(thumbnails.count) images"))
    data.images = cards
    return thumbnails
  }

  private func thumbnails(_ ids: [Int], side: Int) throws -> [Int: [UInt8]] {
    try reader.thumbnails(ids, side: side) { [progress] in progress(.reached($0)) }
  }

  /// A seeded choice of `most` of the numbers below `count`, ascending.
  private func sample(_ count: Int, _ most: Int) -> [Int] {
    guard count > most else { return Array(0..<count) }
    var random = SplitMix64(seed: report.seed)
    return Array((0..<count).shuffled(using: &random).prefix(most)).sorted()
  }

  private func remarks(_ data: ReportData, sampled: Int) -> [String] {
    var remarks: [String] = []
    let total = table.present.count
    if sampled < total {
      let copies = inputs.features == nil ? "" : "; copies with the same features in all of them"
      remarks.append(
        "Image problems and near duplicates were looked for in a random sample of \(sampled) of \(total) images"
          + copies + ".")
    }
    if let map = data.map, total > report.limits.mapped {
      remarks.append(
        "The map shows \(map.ids.count) of \(total) images: a random sample, and the most suspicious ones."
      )
    }
    let detailed = data.classes.count(where: \.isDetailed)
    if detailed > 0, detailed < data.classes.count {
      remarks.append("Of \(data.classes.count) classes the \(detailed) noisiest have a section of their own.")
    }
    let shown = data.images.count
    let pictures = data.images.count(where: \.hasThumbnail)
    if pictures == 0 {
      remarks.append(
        "There are no pictures in this report: the images were moved, or there are none.")
    } else if pictures < shown {
      remarks.append("\(shown - pictures) of \(shown) images shown could not be read just now.")
    }
    return remarks
  }
}
