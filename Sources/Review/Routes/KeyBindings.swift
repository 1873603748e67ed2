import Foundation
import Hummingbird

/// Which keys do what, by the name of the action; each as browsers call it (`KeyboardEvent.key`), letters in lower case,
/// with `Ctrl+` or `Shift+` before it where that is meant.
package struct KeyBindings: ResponseEncodable, Sendable, Hashable {
  package var keys: [String: [String]]
  /// The fault of the user's file, for the page to show.
  var problem: String?

  static let standard: [String: [String]] = [
    "right": ["1", "y", "ArrowRight"],
    "wrong": ["0", "n", "x"],
    "skip": ["s"],
    "undo": ["u", "Ctrl+z"],
    "zoom": ["z"],
    "choose": ["c", "/"],
    "accept": ["a"],
    "none": ["o"],
    "several": ["m"],
    "bad": ["b"],
    "exclude": ["e"],
    "later": ["l"],
    "similar": ["f"],
    "class1": ["2"],
    "class2": ["3"],
    "class3": ["4"],
    "class4": ["5"],
    "class5": ["6"],
    "class6": ["7"],
    "class7": ["8"],
    "class8": ["9"],
    "help": ["?"],
    "toggle": ["x", " ", "0"],
    "commit": ["Enter"],
    "unsure": ["s"],
    "single": ["v"],
    "next": ["g"],
    "all": ["Ctrl+a"],
  ]

  /// Where the user's keys are kept.
  package struct Source: Sendable {
    let file: String

    package init(file: String) { self.file = file }

    /// The standard keys, those of the file in their place. A file that cannot be used is named in `problem`.
    package func read() throws -> KeyBindings {
      guard let data = FileManager.default.contents(atPath: file) else { return KeyBindings(keys: standard) }
      guard let own = try? JSONDecoder().decode([String: [String]].self, from: data) else {
        return KeyBindings(
          keys: standard,
          problem: "\(file) is not a JSON object of lists of keys, such as {\"right\": [\"j\"]}.")
      }
      let unknown = own.keys.filter { standard[$0] == nil }.sorted()
      let known = own.filter { standard[$0.key] != nil }
      return KeyBindings(
        keys: standard.merging(known) { $1 },
        problem: unknown.isEmpty
          ? nil
          : "\(file) names actions that there are not: \(unknown.joined(separator: ", ")). There are: "
            + "\(standard.keys.sorted().joined(separator: ", ")).")
    }
  }
}
