import Torch
import Workspace

/// A workspace's feature shards as the method reads them: rows of a matrix that lies on disk.
public struct MappedFeatures: FeatureSource {
  public let matrix: FeatureMatrix

  public init(_ matrix: FeatureMatrix) { self.matrix = matrix }

  public var count: Int { matrix.count }
  public var dimension: Int { matrix.dimension }

  public func rows(_ indices: [Int]) -> Tensor {
    filled(indices.count) { matrix.copyRows(indices, into: $0) }
  }

  public func rows(_ range: Range<Int>) -> Tensor {
    filled(range.count) { matrix.copyRows(range, into: $0) }
  }

  private func filled(_ count: Int, _ copy: (UnsafeMutableBufferPointer<Float>) -> Void) -> Tensor {
    let rows = Tensor.empty([count, dimension])
    rows.withUnsafeMutableBytes { copy($0.bindMemory(to: Float.self)) }
    return rows
  }
}

extension Workspace {
  /// The features in use; nil if images have none yet, or some still lack theirs.
  public func mappedFeatures() throws -> MappedFeatures? {
    let samples = try sampleCount()
    guard let set = try? LabeledFeatures.currentFeatures(self), set.coverage(of: samples) == samples else {
      return nil
    }
    return MappedFeatures(try featureMatrix(set))
  }
}
