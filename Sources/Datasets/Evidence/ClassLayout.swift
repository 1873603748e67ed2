/// Reads split and class from the folders of a path, or from its name.
struct ClassLayout {
  /// A folder whose folders are classes.
  struct Part {
    /// With a slash at its end; empty for the top.
    var path: String
    var split: String?
    /// Whether the folders below each class are splits.
    var hasSplitsBelow = false
  }

  private enum Rule {
    case parts([Part])
    /// Folder `level` from the top, from 1; negative ones count from the image.
    case level(Int)
    case name(NamePattern)
  }

  private let rule: Rule
  private let options: DatasetOptions
  /// The guesses about the layout, one line each.
  let guesses: [String]
  let notices: [String]
  /// Levels of folders that may lead to one and the same folder by links.
  var branchDepth: Int {
    switch rule {
    case .parts(let parts): (parts.map { $0.path.utf8.count { $0 == .slash } }.max() ?? 0) + 1
    case .level(let level): max(1, level)
    case .name: 1
    }
  }

  /// - Parameters:
  ///   - tables: Names of tables beside the images, which may name their labels.
  ///   - tree: Made only if it is needed.
  /// - Throws: `DatasetProblems` if the tree does not tell which folders are the classes.
  init(
    options: DatasetOptions, source: String, tables: () -> [String] = { [] }, tree: () -> FolderTree
  ) throws(DatasetProblems) {
    self.options = options
    if let pattern = options.labelPattern {
      rule = .name(try NamePattern(pattern))
      guesses = ["class: from each image's name, by the pattern \(pattern)"]
      notices = []
    } else if let level = options.classLevel {
      rule = .level(level)
      guesses = ["class: folder \(level) of each path, as --class-level says"]
      notices = []
    } else {
      let tree = tree()
      var finder = LevelFinder(tree, source: source)
      let parts = try finder.find()
      guard !parts.isEmpty else { throw FlatImages(tree, source: source, tables: tables()).problem }
      rule = .parts(parts)
      guesses = finder.guesses
      notices = finder.notices
    }
  }

  /// The sample of an image, or `nil` if it lies outside the classes' folders.
  func sample(path: String, location: ImageLocation, source: String) -> Sample? {
    guard let (label, split) = labelAndSplit(path) else { return nil }
    return Sample(
      key: path, path: path, location: location, label: label,
      split: options.split ?? split ?? SplitName.train,
      source: source)
  }

  private func labelAndSplit(_ path: String) -> (label: String, split: String?)? {
    switch rule {
    case .name(let pattern): return pattern.match(path)
    case .level(let level):
      let folders = path.fields(at: .slash).dropLast()
      let place = level > 0 ? level - 1 : folders.count + level
      guard folders.indices.contains(place) else { return nil }
      return (folders[place], folders[..<place].lazy.compactMap(SplitName.canonical).first)
    case .parts(let parts):
      guard let part = parts.first(where: { path.utf8.starts(with: $0.path.utf8) }) else { return nil }
      let rest = path.utf8.dropFirst(part.path.utf8.count)
      guard let end = rest.firstIndex(of: .slash) else { return nil }
      let label = String(path[rest.startIndex..<end])
      guard part.hasSplitsBelow else { return (label, part.split) }
      let below = rest[rest.index(after: end)...]
      return (label, below.firstIndex(of: .slash).map { String(path[below.startIndex..<$0]) })
    }
  }
}

/// A pattern of file names in which `{label}` stands for the class, `{split}` for the split and `*` for anything, such as
/// `{label}.*` or `{split}/{label}_*.jpg`. Without a slash it is compared with the last part of a path alone.
struct NamePattern: Sendable {
  private enum Piece {
    case text([UInt8])
    case any, label, split
  }

  private let pieces: [Piece]
  private let hasFolders: Bool

  /// - Throws: `DatasetProblems` if the pattern has no `{label}`, or more than one.
  init(_ pattern: String) throws(DatasetProblems) {
    hasFolders = pattern.utf8.contains(.slash)
    var pieces: [Piece] = []
    var text: [UInt8] = []
    var rest = Array(pattern.utf8)[...]
    func isNext(_ word: StaticString) -> Bool { word.withUTF8Buffer { rest.starts(with: $0) } }
    while let byte = rest.first {
      let special: (Piece, Int)? =
        isNext("{label}")
        ? (.label, 7) : isNext("{split}") ? (.split, 7) : byte == UInt8(ascii: "*") ? (.any, 1) : nil
      guard let (piece, count) = special else {
        text.append(byte)
        rest = rest.dropFirst()
        continue
      }
      if !text.isEmpty { pieces.append(.text(text)) }
      text = []
      pieces.append(piece)
      rest = rest.dropFirst(count)
    }
    if !text.isEmpty { pieces.append(.text(text)) }
    let labels = pieces.count { if case .label = $0 { true } else { false } }
    guard labels == 1 else {
      throw DatasetProblems(
        DatasetProblem(
          file: "--label-pattern", what: "\"\(pattern)\" holds {label} \(labels) times",
          remedy:
            "Write it once in place of the class, and * for other variable parts, such as '{label}.*' or '{label}_*.jpg'"
        ))
    }
    self.pieces = pieces
  }

  func match(_ path: String) -> (label: String, split: String?)? {
    let name = hasFolders ? path : path.parted(atLast: .slash)?.after ?? path
    var label: String?
    var split: String?
    guard Self.match(pieces[...], Array(name.utf8)[...], &label, &split), let label else { return nil }
    return (label, split)
  }

  /// `{label}` and `{split}` take as much as fits, so that `{label}_*.jpg` finds `basset_hound` in `basset_hound_7.jpg`.
  private static func match(
    _ pieces: ArraySlice<Piece>, _ text: ArraySlice<UInt8>, _ label: inout String?, _ split: inout String?
  ) -> Bool {
    guard let piece = pieces.first else { return text.isEmpty }
    let rest = pieces.dropFirst()
    switch piece {
    case .text(let wanted):
      return text.starts(with: wanted) && match(rest, text.dropFirst(wanted.count), &label, &split)
    case .any:
      return (text.startIndex...text.endIndex).contains { match(rest, text[$0...], &label, &split) }
    case .label, .split:
      let longest = text.firstIndex(of: .slash) ?? text.endIndex
      for end in (text.startIndex...longest).reversed() where end > text.startIndex {
        let value = text[text.startIndex..<end]
        guard match(rest, text[end...], &label, &split) else { continue }
        let found = String(decoding: value, as: UTF8.self)
        if case .label = piece { label = found } else { split = found }
        return true
      }
      return false
    }
  }
}

/// The message about images that lie in no class's folder.
struct FlatImages {
  private let problemText: (what: String, remedy: String)
  private let source: String

  init(_ tree: FolderTree, source: String, tables: [String]) {
    self.source = source
    let examples = tree.nodes.filter { $0.images > 0 }.compactMap(\.example)
    guard tree[0].total > 0, let example = examples.first else {
      let (count, first) = tree.others
      problemText = (
        "holds no image in a class's folder"
          + (first.map {
            "; images are recognized by their extensions, but its \(count) files, such as \($0), have none"
          } ?? ""),
        "Lay images out as <class>/<name>.jpg, or import a manifest"
      )
      return
    }
    let pattern = Self.patterns.first { pattern in
      guard let match = (try? NamePattern(pattern))?.match(example) else { return false }
      return match.label.contains(where: \.isLetter)
    }
    let told =
      pattern.flatMap { pattern in (try? NamePattern(pattern))?.match(example).map { (pattern, $0.label) } }
    problemText = (
      "holds no image in a class's folder: its \(tree[0].total) images are in no class's folder, such as \(example)",
      (tables.first.map {
        "If \($0) beside them names their labels, import that: cleannet import \(source)/\($0). Or lay"
      } ?? "Lay")
        + " images out as <class>/<name>.jpg, import the manifest that names their labels"
        + (told.map {
          ", or take the class from their names: --label-pattern '\($0.0)' would make it \"\($0.1)\""
        }
          ?? ", or take the class from their names with --label-pattern")
    )
  }

  private static let patterns = ["{label}.*.*", "{label}_*.*", "{label} (*", "{label}-*.*"]

  var problem: DatasetProblems {
    DatasetProblems(DatasetProblem(file: source, what: problemText.what, remedy: problemText.remedy))
  }
}
