/// Where feature vectors come from: an array in memory, or a file mapped into it.
///
/// Row i belongs to example i, an image say. Implementations are read from several threads at once.
public protocol FeatureSource: Sendable {
  /// The number of examples, N.
  var count: Int { get }
  /// The features' dimension, D.
  var dimension: Int { get }
  /// The vectors of the given examples: `[indices.count, D]`, float32.
  func rows(_ indices: [Int]) -> Tensor
  /// The vectors of a range of examples: `[range.count, D]`, float32.
  func rows(_ range: Range<Int>) -> Tensor
}

/// Features held in one tensor `[N, D]`.
public struct DenseFeatures: FeatureSource {
  public let values: Tensor

  public init(_ values: Tensor) {
    precondition(
      values.rank == 2, "features are a matrix, one row per image; this has the shape \(values.shape)")
    self.values = values.to(.float32).contiguous()
  }

  public var count: Int { values.size(0) }
  public var dimension: Int { values.size(1) }
  public func rows(_ indices: [Int]) -> Tensor { values.indexSelect(Tensor(indices)) }
  public func rows(_ range: Range<Int>) -> Tensor {
    values.narrow(start: range.lowerBound, count: range.count)
  }
}
