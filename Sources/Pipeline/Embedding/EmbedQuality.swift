import Backbones

extension EmbedStage {
  /// How good features should be, and how long they may take: networks that set-up brings.
  ///
  /// docs/networks.md says how much the next one gains on real label noise, and its cost.
  package enum Quality: String, Sendable, CaseIterable {
    /// EfficientNet-Lite0 at 224 px.
    case fast
    /// EfficientNet-Lite2 at 260 px.
    case good
    /// Both, side by side.
    case best

    package var networks: [NetworkSource] {
      switch self {
      case .fast: [.builtIn(.efficientNetLite0)]
      case .good: [.builtIn(.efficientNetLite2)]
      case .best: [.builtIn(.efficientNetLite0), .builtIn(.efficientNetLite2)]
      }
    }
  }
}
