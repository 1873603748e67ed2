/// Delimited text by RFC 4180, as `DelimitedReader` reads it back.
package enum DelimitedText {
  /// One record with its line end. A field that holds the delimiter, a quote or a line end is quoted; so is a single
  /// empty one, which would otherwise be an empty line.
  package static func record(_ fields: [String], delimiter: Character = ",") -> String {
    var text = ""
    for (index, field) in fields.enumerated() {
      if index > 0 { text.append(delimiter) }
      text += needsQuotes(field, delimiter) || fields == [""] ? quoted(field) : field
    }
    return text + "\n"
  }

  private static func needsQuotes(_ field: String, _ delimiter: Character) -> Bool {
    // Scalars, not characters: a combining mark may hide a quote or a delimiter from Swift's characters.
    field.unicodeScalars.contains {
      $0 == "\"" || $0 == "\n" || $0 == "\r" || delimiter.unicodeScalars.first == $0
    }
  }

  private static func quoted(_ field: String) -> String {
    var text = String.UnicodeScalarView()
    text.append("\"")
    for scalar in field.unicodeScalars {
      if scalar == "\"" { text.append("\"") }
      text.append(scalar)
    }
    text.append("\"")
    return String(text)
  }
}
