import Foundation

/// Numbers of the page. Each is an element `data` that holds the value itself and its place in the report's JSON (a
/// JSON pointer, RFC 6901). So a number on the page can be checked against the data it came from.
enum Figure {
  /// "12,345".
  static func count(_ value: Int, _ pointer: String) -> HTML {
    element("\(value)", pointer, "count", grouped(value))
  }

  /// "12.3 %" with a space that does not break, or a dash where there is none.
  static func percent(_ value: Double?, _ pointer: String) -> HTML {
    guard let value else { return "<span class=\"none\">–</span>" }
    return element("\(value)", pointer, "percent", percentText(value))
  }

  /// "0.957".
  static func decimal(_ value: Double?, _ pointer: String, digits: Int = 3) -> HTML {
    guard let value else { return "<span class=\"none\">–</span>" }
    let text = String(format: "%.\(digits)f", value).replacingOccurrences(of: "-", with: "−")
    return element("\(value)", pointer, "decimal\(digits)", text)
  }

  /// "12.3 % (11.0–13.7 %)": a share with its interval.
  static func share(_ share: Share?, _ pointer: String) -> HTML {
    guard let share else { return "<span class=\"none\">–</span>" }
    return """
      <span class="interval">\(percent(share.value, "\(pointer)/value")) \
      <small>(\(percent(share.low, "\(pointer)/low"))–\(percent(share.high, "\(pointer)/high")))</small></span>
      """
  }

  private static func element(_ value: String, _ pointer: String, _ form: String, _ text: String) -> HTML {
    "<data value=\"\(value)\" data-at=\"\(pointer)\" data-as=\"\(form)\">\(text)</data>"
  }

  static func percentText(_ value: Double) -> String { String(format: "%.1f\u{A0}%%", value * 100) }

  /// With commas between groups of three digits.
  static func grouped(_ value: Int) -> String {
    var text = ""
    for (place, digit) in String(abs(value)).reversed().enumerated() {
      if place > 0, place % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (value < 0 ? "−" : "") + String(text.reversed())
  }
}
