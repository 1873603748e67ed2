import Torch
import Workspace

/// A workspace's feature shards as the method reads them: rows of a matrix that lies on disk.
package struct MappedFeatures: FeatureSource {
  package let matrix: FeatureMatrix

  package init(_ matrix: FeatureMatrix) { self.matrix = matrix }

  package var count: Int { matrix.count }
  package var dimension: Int { matrix.dimension }

  package func rows(_ indices: [Int]) -> Tensor {
    filled(indices.count) { matrix.copyRows(indices, into: $0) }
  }

  package func rows(_ range: Range<Int>) -> Tensor {
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
  package func mappedFeatures() throws -> MappedFeatures? {
    let samples = try sampleCount()
    guard let set = try? LabeledFeatures.currentFeatures(self), set.coverage(of: samples) == samples else {
      return nil
    }
    return MappedFeatures(try featureMatrix(set))
  }
}
