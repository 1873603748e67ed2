import Datasets

/// Facts that the names and first rows of several sources show only together.
struct SourceReadings {
  struct Reading {
    /// Put before each key.
    var keyPrefix: String
    /// Of images of which the source itself says no split.
    var split: String?

    func apply(to options: inout DatasetOptions) {
      options.keyPrefix = keyPrefix
      if let split { options.split = split }
    }
  }

  /// Rows of each source that are looked at.
  private static let rowsLookedAt = 200

  private(set) var sources: [Reading]
  private(set) var guesses: [String] = []
  private(set) var notices: [String] = []

  init(_ paths: [String], _ importing: ImportOptions) throws {
    sources = paths.map { _ in Reading(keyPrefix: importing.keyPrefix ?? "") }
    let origins = try paths.map { try DatasetSource(path: $0) }
    let splits = SplitName.canonical(among: origins.map(\.stem))
    let names = origins.map { splits[$0.stem] }
    let seeksKeys = paths.count > 1 && importing.keyPrefix == nil && importing.keyColumn == nil
    let seeksSplits =
      importing.split == nil && importing.splitColumn == nil
      && names.contains { $0 != nil && $0 != SplitName.train }
    guard seeksKeys || seeksSplits else { return }
    let heads = try paths.map { try Self.head($0, importing) }
    if seeksKeys { setPrefixes(heads, origins) }
    if seeksSplits { setSplits(heads, origins, names) }
  }

  /// The first samples of a source.
  private static func head(_ source: String, _ importing: ImportOptions) throws -> [Sample] {
    struct Enough: Error {}
    var options = try importing.datasetOptions()
    options.downloads = "downloads"
    options.readsOnly = true
    var samples: [Sample] = []
    // Faults of a source are reported when it is imported.
    _ = try? DatasetReader.open(source: source, options: options).read { sample in
      samples.append(sample)
      if samples.count == rowsLookedAt { throw Enough() }
    }
    return samples
  }

  /// Puts its folder before the keys of each source, where several name their images alike.
  private mutating func setPrefixes(_ heads: [[Sample]], _ origins: [DatasetSource]) {
    var known: Set<String> = []
    var isShared = false
    for head in heads {
      if head.contains(where: { known.contains($0.key) }) { isShared = true }
      known.formUnion(head.map(\.key))
    }
    let folders = origins.map(\.folderParts)
    guard isShared, Set(folders).count == folders.count else { return }
    var common = 0
    while let part = folders[0].dropFirst(common).first,
      folders.allSatisfy({ $0.count > common + 1 && $0[common] == part })
    {
      common += 1
    }
    for (index, folder) in folders.enumerated() {
      sources[index].keyPrefix = folder.dropFirst(common).joined(separator: "/") + "/"
    }
  }

  /// Of sources named like several splits, each is that split; of one alone that may be a chance.
  private mutating func setSplits(_ heads: [[Sample]], _ origins: [DatasetSource], _ names: [String?]) {
    let areParted = Set(names.compactMap { $0 }).count > 1
    for (index, split) in names.enumerated() where split != SplitName.train {
      guard let split, heads[index].allSatisfy({ $0.split == SplitName.train }) else { continue }
      let source = origins[index].path
      if areParted {
        sources[index].split = split
        guesses.append("splits: the images of \(source) belong to the split \(split), by its name")
      } else {
        notices.append(
          "\(source) is named like the split \(split), but its images are used for training; "
            + "--split \(split) excludes them")
      }
    }
  }
}
