/// What the usual names of splits mean: `Test`, `testing`, `seg_test` and `test2017` are all the split `test`.
///
/// Everything that protects test data compares with the name `test`, so names are brought to one form where a data set
/// is read.
public enum SplitName {
  public static let train = "train"
  public static let validation = "val"
  public static let test = "test"

  private static let roles: [String: String] = [
    "train": train, "training": train, "trn": train, "trainval": train,
    "val": validation, "valid": validation, "validation": validation, "dev": validation,
    "test": test, "testing": test, "tst": test, "tests": test, "holdout": test,
  ]

  /// Words that people put beside a split's name and that say nothing.
  private static let fillers: Set<String> = [
    "set", "data", "dataset", "images", "image", "imgs", "img", "photos", "pictures", "seg", "split", "part",
    "final",
    "raw", "x", "jpg", "jpeg", "png", "coco", "public", "private", "official", "sample", "samples", "folder",
  ]

  /// The name in its one form; `nil` if it is no usual name of a split.
  public static func canonical(_ name: String) -> String? {
    let words = words(name)
    let known = Set(words.compactMap { roles[$0] })
    guard known.count == 1, words.allSatisfy({ roles[$0] != nil || fillers.contains($0) }) else { return nil }
    return known.first
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
