import Workspace

/// How tables of verdicts say why an image was looked at.
enum VerdictSelection: String, CaseIterable {
  /// The image belongs to the random sample of its class.
  case random
  /// It is the next of its class in the order of drawing, but some before it are not answered yet.
  case drawn
  case doubtful
  case suspect
  case again
  case dispute
  case wished
  case other

  init(_ image: VerifiedImages.Image) {
    self = image.isDrawn ? .random : Self.allCases.first { $0.stored == image.selection } ?? .other
  }

  var stored: VerificationRecord.Selection? {
    switch self {
    case .random: .declared
    case .drawn: .drawn
    case .doubtful: .informative
    case .suspect: .suspect
    case .again: .again
    case .dispute: .dispute
    case .wished: .wished
    case .other: nil
    }
  }
}
