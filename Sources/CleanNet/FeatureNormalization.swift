import Torch

/// The transformation of a feature vector before either encoder sees it (CleanNet, section 4.1, takes `log(v + 1)`).
public enum FeatureNormalization: String, Sendable, Hashable, Codable, CaseIterable {
  /// `log(v + 1)`, for non-negative features such as those behind a ReLU.
  case logPlusOne = "log1p"
  /// Division by the Euclidean norm.
  case l2
  /// Nothing.
  case none

  /// `[…, D]` → `[…, D]`.
  public func callAsFunction(_ features: Tensor) -> Tensor {
    switch self {
    case .logPlusOne: features.clamped(min: 0).log1p()
    case .l2: features.normalized()
    case .none: features
    }
  }

  /// The paper's choice where it is defined: `logPlusOne` if no sampled feature is negative, else `l2`.
  public static func suited(to features: some FeatureSource, sample: Int = 1024) -> FeatureNormalization {
    guard features.count > 0 else { return .logPlusOne }
    let stride = max(1, features.count / sample)
    let rows = features.rows(Array(Swift.stride(from: 0, to: features.count, by: stride)))
    let finite = rows.isFinite().select(rows, else: .zeros([1]))
    return finite.amin(dim: 1).amin(dim: 0).item < 0 ? .l2 : .logPlusOne
  }
}
