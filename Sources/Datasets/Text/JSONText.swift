/// Writes JSON as `JSONScanner` reads it back.
package enum JSONText {
  /// A string with its quotes.
  package static func quoted(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    result.append("\"")
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\":
        result.append("\\")
        result.append(scalar)
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      case "\r": result.append(contentsOf: "\\r".unicodeScalars)
      case "\t": result.append(contentsOf: "\\t".unicodeScalars)
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result.append(
          contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".unicodeScalars)
      default: result.append(scalar)
      }
    }
    result.append("\"")
    return String(result)
  }

  /// An object on one line; members without a value are left out.
  static func object(_ members: [(name: String, value: String?)]) -> String {
    let written = members.compactMap { name, value in value.map { "\(quoted(name)): \($0)" } }
    return "{" + written.joined(separator: ", ") + "}"
  }

  /// The members that every table of samples has, values as JSON, and the attributes.
  static func members(_ sample: Sample, names: (path: String?, key: String) = ("path", "key")) -> [(
    name: String, value: String?
  )] {
    var members: [(name: String, value: String?)] = []
    if let path = names.path { members.append((path, quoted(sample.path))) }
    members += [
      (names.key, quoted(sample.key)), ("label", quoted(sample.label)),
      ("verification", sample.verification.map { $0 ? "1" : "0" }), ("split", quoted(sample.split)),
    ]
    return members + sample.attributes.map { ($0.name, quoted($0.value)) }
  }
}
