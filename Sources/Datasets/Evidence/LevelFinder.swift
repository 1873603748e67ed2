/// Finds out which folders of a tree are the classes, by what siblings have in common rather than by where they stand.
struct LevelFinder {
  /// Folders that only hold the data set.
  private static let wrappers: Set<String> = [
    "data", "dataset", "datasets", "image", "images", "img", "imgs", "photo", "photos", "pic", "pics",
    "picture",
    "pictures", "jpg", "jpeg", "jpegs", "png", "jpegimages", "raw", "original", "originals", "all", "file",
    "files",
    "input", "inputs", "source", "content", "contents", "class", "classes", "category", "categories",
    "archive", "root",
  ]
  /// Folders that lie beside a data set and are no part of it.
  private static let asides: Set<String> = [
    "doc", "docs", "documentation", "asset", "assets", "figure", "figures", "figs", "annotation",
    "annotations",
    "label", "labels", "mask", "masks", "ground_truth", "groundtruth", "segmentation", "segmentations",
    "screenshots",
    "notebooks", "scripts", "src", "static", "templates", "results", "output", "outputs", "models",
    "examples", "meta",
  ]
  /// A folder with so small a share of the images may lie aside.
  private static let smallShare = 0.1

  let tree: FolderTree
  /// As the user named the source, for messages.
  let source: String

  private(set) var guesses: [String] = []
  private(set) var notices: [String] = []

  init(_ tree: FolderTree, source: String) {
    self.tree = tree
    self.source = source
  }

  static func isWrapper(_ name: String) -> Bool {
    let name = name.lowercased()
    if wrappers.contains(name) || name.hasSuffix("-main") || name.hasSuffix("-master") { return true }
    let words = name.split { !$0.isLetter }.map(String.init)
    return words.count > 1
      && (words.last.map { ["data", "dataset", "images", "imgs", "photos"].contains($0) } ?? false)
  }

  /// The parts of the tree and what the folders below them are.
  ///
  /// - Throws: `DatasetProblems` where nothing tells which folders are the classes; it lists the readings.
  mutating func find() throws(DatasetProblems) -> [ClassLayout.Part] {
    try parts(of: 0, path: "", split: nil)
  }

  private func isSplit(_ node: Int) -> Bool { SplitName.canonical(tree[node].name) != nil }

  /// The splits that siblings are, by their names.
  private func splits(_ kids: [Int]) -> [Int: String] {
    let known = SplitName.canonical(among: names(kids))
    return Dictionary(kids.compactMap { kid in known[tree[kid].name].map { (kid, $0) } }) { first, _ in first
    }
  }

  private func names(_ nodes: [Int]) -> [String] { nodes.map { tree[$0].name } }

  private mutating func parts(of node: Int, path: String, split: String?) throws(DatasetProblems)
    -> [ClassLayout.Part]
  {
    let kids = tree.folders(of: node)
    if kids.isEmpty { return [] }
    if split == nil, let parts = try splitParts(kids, path) { return parts }
    if split == nil, isClassesAboveSplits(kids) {
      guesses.append("class: the folders \(Self.list(names(kids))); split: the folder below")
      return [ClassLayout.Part(path: path, split: nil, hasSplitsBelow: true)]
    }
    if kids.count == 1, let only = kids.first {
      let inner = tree.folders(of: only)
      if !inner.isEmpty, inner.count > 1 || Self.isWrapper(tree[only].name) || leadsToSeveral(only) {
        return try parts(of: only, path: path + tree[only].name + "/", split: split)
      }
    }
    if let main = main(of: kids) {
      let aside = kids.filter { $0 != main }
      notices.append("skipped folders beside the data set: \(Self.list(names(aside)))")
      return try parts(of: main, path: path + tree[main].name + "/", split: split)
    }
    if let parts = try repeated(kids, path, split) { return parts }
    let place = path.isEmpty ? "the folders" : "the folders in \(path)"
    guesses.append("class: \(place) (\(Self.list(names(kids))))" + (split.map { ", split \($0)" } ?? ""))
    return [ClassLayout.Part(path: path, split: split)]
  }

  /// Whether a chain of single folders ends in several.
  private func leadsToSeveral(_ node: Int) -> Bool {
    let kids = tree.folders(of: node)
    return kids.count > 1 || (kids.first.map { kids.count == 1 && leadsToSeveral($0) } ?? false)
  }

  /// The names of the classes below a folder, where they can be told.
  private func classNames(_ node: Int) -> Set<String> {
    let kids = tree.folders(of: node)
    if kids.count == 1, let only = kids.first, tree.folders(of: only).count > 1 { return classNames(only) }
    return Set(names(kids))
  }

  /// The parts of a level of splits; `nil` if it is none.
  private mutating func splitParts(_ kids: [Int], _ path: String) throws(DatasetProblems) -> [ClassLayout
    .Part]?
  {
    let splits = splits(kids)
    let named = kids.filter { splits[$0] != nil }
    let others = kids.filter { splits[$0] == nil }
    guard !named.isEmpty else { return nil }
    let deep = named.filter { !tree.folders(of: $0).isEmpty }
    guard !deep.isEmpty else {
      // Classes may be called so; where all are, they are no classes.
      guard others.isEmpty else { return nil }
      return []
    }
    let isLevel =
      others.isEmpty || deep.count > 1
      || others.allSatisfy { tree.folders(of: $0).isEmpty && isAside($0, deep[0]) }
    guard isLevel else { return nil }
    var found: [ClassLayout.Part] = []
    var classes: Set<String> = []
    for node in deep {
      classes.formUnion(classNames(node))
      let inner = path + tree[node].name + "/"
      found += try parts(of: node, path: inner, split: splits[node])
    }
    var aside = named.filter { !deep.contains($0) }
    for node in others {
      let own = classNames(node)
      let isLike =
        !own.isEmpty && own.isSubset(of: classes) && !Self.asides.contains(tree[node].name.lowercased())
      if isLike {
        found += try parts(of: node, path: path + tree[node].name + "/", split: tree[node].name)
      } else {
        aside.append(node)
      }
    }
    if !aside.isEmpty {
      notices.append(
        "folders beside \(Self.list(names(deep))) skipped, because they hold none of the classes: \(Self.list(names(aside)))"
      )
    }
    return found
  }

  private func isClassesAboveSplits(_ kids: [Int]) -> Bool {
    kids.count > 1
      && kids.allSatisfy { kid in
        let inner = tree.folders(of: kid)
        return !inner.isEmpty && tree[kid].images == 0 && inner.allSatisfy(isSplit)
      } && Set(kids.flatMap { names(tree.folders(of: $0)) }).count > 1
  }

  private func isAside(_ node: Int, _ main: Int) -> Bool {
    Self.asides.contains(tree[node].name.lowercased())
      || Double(tree[node].total) <= Self.smallShare * Double(tree[main].total)
      || tree.folders(of: node).isEmpty && Self.isWrapper(tree[node].name)
      || ["pred", "seg_pred", "predict", "prediction", "unlabeled", "unlabelled", "submission"].contains(
        tree[node].name.lowercased())
  }

  /// The folder that the data set lies in, where others lie beside it.
  private func main(of kids: [Int]) -> Int? {
    guard kids.count > 1 else { return nil }
    let deep = kids.filter { tree.folders(of: $0).count > 1 || leadsToSeveral($0) }
    guard deep.count == 1, let main = deep.first else {
      // Of several folders, those with masks and the like are none.
      let left = deep.filter { !Self.asides.contains(tree[$0].name.lowercased()) }
      guard left.count == 1, let main = left.first, Self.isWrapper(tree[main].name) else { return nil }
      return kids.allSatisfy { $0 == main || isAside($0, main) } ? main : nil
    }
    let others = kids.filter { $0 != main }
    let areAside = others.allSatisfy { Self.asides.contains(tree[$0].name.lowercased()) }
    let areSmall = others.allSatisfy { isAside($0, main) }
    return areAside || (Self.isWrapper(tree[main].name) && areSmall) ? main : nil
  }

  /// Where the folders below each of several have the same names, those are the classes, or the ones above: names tell, or
  /// the user must.
  private mutating func repeated(_ kids: [Int], _ path: String, _ split: String?) throws(DatasetProblems)
    -> [ClassLayout.Part]?
  {
    guard kids.count > 1, kids.allSatisfy({ tree[$0].images == 0 && tree.folders(of: $0).count > 1 }) else {
      return nil
    }
    var counts: [String: Int] = [:]
    for kid in kids { for name in names(tree.folders(of: kid)) { counts[name, default: 0] += 1 } }
    let shared = counts.filter { $0.value > 1 }
    guard Double(shared.count) >= 0.5 * Double(counts.count), shared.count > 1 else { return nil }
    let upper = names(kids)
    if counts.keys.allSatisfy(Self.isNumbered), !upper.allSatisfy(Self.isNumbered) { return nil }
    if upper.allSatisfy({ Self.isNumbered($0) || Self.isWrapper($0) }),
      !counts.keys.allSatisfy(Self.isNumbered)
    {
      var found: [ClassLayout.Part] = []
      for kid in kids { found += try parts(of: kid, path: path + tree[kid].name + "/", split: split) }
      return found
    }
    let level = path.utf8.count { $0 == .slash } + 1
    throw DatasetProblems(
      DatasetProblem(
        file: source,
        what:
          "can be read in two ways: the classes are the folders \(Self.list(upper)), or those below them, "
          + Self.list(counts.keys.sorted()),
        remedy: "Say which: --class-level \(level) for the first, --class-level \(level + 1) for the second"))
  }

  /// `part1`, `007` and `2019-05` number things.
  private static func isNumbered(_ name: String) -> Bool {
    let stem = name.lowercased().filter(\.isLetter)
    return name.contains(where: \.isNumber)
      && ["", "part", "batch", "fold", "site", "shard", "chunk", "set", "vol", "volume", "group", "session"]
        .contains(stem)
  }

  static func list(_ names: [String]) -> String {
    names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", … (\(names.count) in all)" : "")
  }
}
