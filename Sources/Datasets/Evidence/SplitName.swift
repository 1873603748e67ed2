/// The meaning of the usual names of splits: `Test`, `testing`, `seg_test` and `test2017` are all the split `test`.
///
/// Everything that protects test data compares with the name `test`, so names are brought to one form where a data set
/// is read.
package enum SplitName {
  package static let train = "train"
  package static let validation = "val"
  package static let test = "test"

  private static let roles: [String: String] = [
    "train": train, "training": train, "trn": train, "trainval": train,
    "val": validation, "valid": validation, "validation": validation, "dev": validation,
    "test": test, "testing": test, "tst": test, "tests": test, "holdout": test, "heldout": test, "eval": test,
    "evaluation": test,
  ]

  /// Words that people put beside a split's name and that say nothing.
  private static let fillers: Set<String> = [
    "set", "data", "dataset", "images", "image", "imgs", "img", "photos", "pictures", "seg", "split", "part",
    "final",
    "raw", "x", "jpg", "jpeg", "png", "coco", "public", "private", "official", "sample", "samples", "folder",
  ]

  /// The name in its one form; `nil` if it is no usual name of a split.
  package static func canonical(_ name: String) -> String? {
    let words = words(name)
    let known = Set(words.compactMap { roles[$0] })
    guard known.count == 1, words.allSatisfy({ roles[$0] != nil || fillers.contains($0) }) else { return nil }
    return known.first
  }

  /// The splits that names stand for which stand side by side, such as `pets-train` and `pets-test`: names in their
  /// usual form, and names with the same words beside a split's name.
  package static func canonical(among names: [String]) -> [String: String] {
    var found: [String: String] = [:]
    var alike: [[String]: [(name: String, role: String)]] = [:]
    for name in names {
      if let split = canonical(name) { found[name] = split }
      let words = words(name)
      let known = Set(words.compactMap { roles[$0] })
      guard known.count == 1, let role = known.first else { continue }
      alike[words.filter { roles[$0] == nil && !fillers.contains($0) }, default: []].append((name, role))
    }
    for group in alike.values where Set(group.map(\.role)).count > 1 {
      for (name, role) in group { found[name] = role }
    }
    return found
  }

  /// The splits that a column of yes and no means, by its name: `is_test`, `train`, `is_training_image`.
  ///
  /// - Returns: The splits of rows with yes and with no.
  static func flag(_ name: String) -> (yes: String, no: String)? {
    let words = words(name).filter { !["is", "in", "for", "use"].contains($0) }
    guard words.allSatisfy({ roles[$0] != nil || fillers.contains($0) }) else { return nil }
    let known = Set(words.compactMap { roles[$0] })
    guard known.count == 1, let role = known.first else { return nil }
    return role == train ? (train, test) : (role, train)
  }

  /// The form under which a sample's split is kept. A name that has more in it, such as `test_hard`, still means test data,
  /// which must never be trained on by accident.
  static func kept(_ name: String) -> String {
    if let canonical = canonical(name) { return canonical }
    let words = words(name)
    let isTest = words.contains { roles[$0] == test || ($0.hasPrefix("test") && $0.utf8.count <= 5) }
    return isTest && !words.contains { roles[$0] == train } ? test : name
  }

  /// The words of a name in lower case, without digits; what is glued to a role's name is parted from it.
  private static func words(_ name: String) -> [String] {
    name.lowercased().split { !$0.isLetter }.flatMap { word -> [String] in
      let word = String(word)
      if roles[word] != nil { return [word] }
      for end in ["set", "data", "images", "imgs", "img"] where word.hasSuffix(end) {
        let start = String(word.dropLast(end.count))
        if roles[start] != nil { return [start] }
      }
      return [word]
    }
  }
}
