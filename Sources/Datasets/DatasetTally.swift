import Foundation

/// How many samples each class has in each split, and which of these numbers look odd.
package struct DatasetTally: Sendable, Hashable {
  package struct Entry: Sendable, Hashable, Codable {
    package var name: String
    package var images: Int
  }

  /// In order of first appearance.
  package private(set) var splits: [Entry] = []
  package private(set) var classes: [Entry] = []
  package private(set) var samples = 0
  /// Whether classes are named by folders, whose level may have been mistaken.
  package var classesAreFolders = false
  private var splitPlaces: [String: Int] = [:]
  private var classPlaces: [String: Int] = [:]

  /// Names of folders and files that are taken for classes by mistake.
  private static let suspects: Set<String> = [
    "images", "image", "img", "imgs", "data", "dataset", "__macosx", "labels", "annotations", "masks", "jpg",
    "png", "raw",
    "photos",
  ]
  /// Texts that programs write where there is no label.
  private static let blanks: Set<String> = [
    "nan", "none", "null", "na", "n/a", "undefined", "unknown", "<na>", "-",
  ]
  private static let named = 5

  package init() {}

  package mutating func add(label: String, split: String, samples count: Int = 1) {
    samples += count
    Self.add(split, count, &splits, &splitPlaces)
    Self.add(label, count, &classes, &classPlaces)
  }

  package mutating func add(_ other: DatasetTally) {
    samples += other.samples
    if other.classesAreFolders { classesAreFolders = true }
    for entry in other.splits { Self.add(entry.name, entry.images, &splits, &splitPlaces) }
    for entry in other.classes { Self.add(entry.name, entry.images, &classes, &classPlaces) }
  }

  private static func add(
    _ name: String, _ count: Int, _ entries: inout [Entry], _ places: inout [String: Int]
  ) {
    if let place = places[name] {
      entries[place].images += count
    } else {
      places[name] = entries.count
      entries.append(Entry(name: name, images: count))
    }
  }

  /// Possible mistakes, one line each.
  package var warnings: [String] {
    var warnings: [String] = []
    func warn(_ names: [String], _ what: String, _ remedy: String) {
      guard !names.isEmpty else { return }
      let shown = names.prefix(Self.named).map { "\"\($0)\"" }.joined(separator: ", ")
      let more = names.count > Self.named ? ", … (\(names.count) in all)" : ""
      warnings.append("\(what): \(shown)\(more); \(remedy)")
    }
    let names = classes.map(\.name)
    if names.count == 1, samples > 1 {
      warnings.append(
        "there is only one class, \"\(names[0])\": "
          + (classesAreFolders
            ? "if the classes are other folders, say which with --class-level"
            : "if labels stand elsewhere, name their column with --label-column; other classes may be other sources")
      )
    }
    if classesAreFolders {
      warn(
        names.filter { SplitName.canonical($0) != nil }, "classes named like splits",
        "if they are splits, --class-level names the folders that are classes")
      warn(
        names.filter { Self.suspects.contains($0.lowercased()) },
        "classes named like folders that hold a data set",
        "if they are none, --class-level names the folders that are classes")
    }
    warn(
      Self.several(names), "labels that name several classes",
      "each image needs one class; keep one name, or remove these rows")
    warn(
      splits.map(\.name).filter { ![SplitName.train, SplitName.validation, SplitName.test].contains($0) },
      "splits with unusual names", "their images are used for training; only images of the split test are not"
    )
    warn(
      names.filter { Self.blanks.contains($0.trimmedBlanks.lowercased()) || $0.trimmedBlanks.isEmpty },
      "classes that look like missing labels", "if they are, remove those rows")
    warn(
      names.filter { Self.isStructure($0) }, "labels that are JSON objects or lists",
      "if each stands for one class, write its name alone")
    let floats = names.filter { ManifestColumns.integer($0) != nil }
    if floats.count == names.count {
      warn(
        floats, "labels that are numbers with a fraction",
        "write class numbers as integers, such as 3 for 3.0")
    }
    let single = classes.filter { $0.images == 1 }.map(\.name)
    if samples > classes.count {
      warn(
        single, "classes with a single image", "nothing can be learned from them; check for typing errors"
      )
    } else if samples > 2, single.count == classes.count {
      warnings.append("each image has a class of its own: check whether the labels are in another column")
    }
    return warnings
  }

  /// Classes that a person would take for one, a line each.
  package static func alike(_ names: [String]) -> [String] {
    let groups = Dictionary(grouping: names) { name in
      // A hyphen in front is a sign, or tells names apart.
      let sign = name.first == "-" ? "-" : ""
      return sign
        + name.precomposedStringWithCanonicalMapping.lowercased()
        .split { $0.isWhitespace || $0 == "_" || $0 == "-" }.joined(separator: " ")
    }
    return groups.values.filter { $0.count > 1 }.map { names in
      "classes whose names are almost the same: \(names.map { "\"\($0)\"" }.joined(separator: ", ")); "
        + "if they are one, import with --label-map"
    }.sorted()
  }

  /// The names that are made of others by `|` or `;`, such as `cat|pet`.
  private static func several(_ names: [String]) -> [String] {
    var uses: [String: Int] = [:]
    func parts(_ name: String) -> [String] {
      name.split { $0 == "|" || $0 == ";" }.map { String($0).trimmedBlanks }
    }
    for name in names { for part in Set(parts(name)) { uses[part, default: 0] += 1 } }
    return names.filter { name in
      let parts = parts(name)
      return parts.count > 1 && parts.contains { (uses[$0] ?? 0) > 1 }
    }
  }

  static func isStructure(_ name: String) -> Bool {
    let bytes = Array(name.trimmedBlanks.utf8)
    guard let first = bytes.first, let last = bytes.last, bytes.count > 1 else { return false }
    return (first == UInt8(ascii: "{") && last == UInt8(ascii: "}") && bytes.contains(UInt8(ascii: ":")))
      || (first == UInt8(ascii: "[") && last == UInt8(ascii: "]"))
  }
}
