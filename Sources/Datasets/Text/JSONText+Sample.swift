import Files

extension JSONText {
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
