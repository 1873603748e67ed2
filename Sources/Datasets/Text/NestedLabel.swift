import Files
import Foundation

/// The label that a JSON object or list holds.
enum NestedLabel {
  case one(String)
  case none
  /// As they are written.
  case several([String])

  /// The members in which programs keep a label's name, the most telling first.
  private static let names = [
    "label", "name", "class", "class_name", "category", "title", "value", "text", "id",
  ]

  /// - Parameter text: JSON.
  init(_ text: String) {
    var found: [String] = []
    do throws(JSONScanner.Fault) {
      found = try Array(text.utf8).withUnsafeBufferPointer { bytes throws(JSONScanner.Fault) in
        var scanner = JSONScanner(bytes)
        return try Self.labels(&scanner)
      }
    } catch {
      // Python prints its texts in single quotes.
      let quoted = text.replacingOccurrences(of: "'", with: "\"")
      self = quoted == text ? .one(text) : NestedLabel(quoted)
      return
    }
    var unique: [String] = []
    for label in found where !unique.contains(label) { unique.append(label) }
    switch unique.count {
    case 0: self = .none
    case 1: self = .one(unique[0])
    default: self = .several(unique)
    }
  }

  private static func labels(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> [String] {
    if scanner.isNext("[") {
      var all: [String] = []
      try scanner.elements { scanner throws(JSONScanner.Fault) in all += try labels(&scanner) }
      return all
    }
    guard scanner.isNext("{") else {
      guard let text = try scanner.valueText(), !text.isEmpty else { return [] }
      return [text]
    }
    var members: [(name: String, labels: [String])] = []
    try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
      guard names.contains(name) || name == "classifications" || name == "detections" else {
        return try scanner.skip()
      }
      members.append((name, try labels(&scanner)))
    }
    return (names + ["classifications", "detections"]).lazy.compactMap { name in
      members.first { $0.name == name && !$0.labels.isEmpty }?.labels
    }.first ?? []
  }
}
