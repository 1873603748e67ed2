/// The words that people and programs write for a verdict on a label.
enum VerdictText {
  case right, wrong
  /// Somebody looked and could not tell.
  case unsure
  /// Nobody said.
  case none
  /// Anything else.
  case other

  /// pandas writes 1.0 where some are missing, spreadsheets TRUE; blanks around do not matter.
  init(_ text: String) {
    switch text.trimmedBlanks.lowercased() {
    case "1", "1.0", "true", "yes", "y", "t", "right", "correct": self = .right
    case "0", "0.0", "false", "no", "n", "f", "wrong", "incorrect": self = .wrong
    case "", "-1", "-1.0", "nan", "na", "n/a", "none", "null", "unknown", "skip": self = .none
    case "unsure", "?": self = .unsure
    default: self = .other
    }
  }
}
