import Foundation

/// Markup in which texts are escaped by their type: literals are markup, a `String` put into one is text.
///
/// ```swift
/// let cell: HTML = "<td title=\"\(path)\">\(name)</td>"   // whatever `path` and `name` hold
/// ```
package struct HTML: Sendable, ExpressibleByStringInterpolation {
  package private(set) var markup: String

  package init(stringLiteral markup: String) { self.markup = markup }

  package init(stringInterpolation interpolation: StringInterpolation) { markup = interpolation.markup }

  /// Takes text for markup. Only for what this module itself has made, such as a picture or a style sheet.
  init(trusted markup: String) { self.markup = markup }

  package struct StringInterpolation: StringInterpolationProtocol {
    var markup = ""

    package init(literalCapacity: Int, interpolationCount: Int) {
      markup.reserveCapacity(literalCapacity * 2)
    }

    package mutating func appendLiteral(_ literal: String) { markup += literal }
    package mutating func appendInterpolation(_ html: HTML) { markup += html.markup }
    package mutating func appendInterpolation(_ parts: [HTML]) { for part in parts { markup += part.markup } }
    package mutating func appendInterpolation(_ number: Int) { markup += String(number) }
    package mutating func appendInterpolation(_ text: String) { markup += HTML.escaped(text) }
  }

  /// Text as content of an element or of a quoted attribute.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    // Scalars: a combining mark after a `<` would hide it from a comparison of characters.
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  static func + (left: HTML, right: HTML) -> HTML { HTML(trusted: left.markup + right.markup) }
}

extension HTML {
  /// JSON as the content of a `<script type="application/json">`, which ends at the first `</script`.
  static func json(_ text: String) -> HTML {
    HTML(trusted: text.replacingOccurrences(of: "<", with: "\\u003c"))
  }
}
