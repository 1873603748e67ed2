import Datasets
import Foundation
import Workspace

/// Features that come with a data set instead of images.
package enum FeatureInput {
  /// Opens a file of features: `.npy`, an array of an `.npz`, a tensor of a safetensors file. None is copied, but for a
  /// compressed array, which is unpacked to a file that is gone when the matrix is.
  ///
  /// - Parameter folder: Where that file lies.
  package static func open(_ path: String, in folder: String) throws -> NpyMatrix {
    guard let inner = try EmbeddedMatrix.find(in: path) else { return try NpyMatrix(path: path) }
    if inner.inflatedLength != nil {
      let unpacked = "\(folder)/.features-\(UUID().uuidString).npy"
      // A mapped file stays as long as it is mapped, without a name.
      defer { unlink(unpacked) }
      try inner.unpack(from: path, to: unpacked)
      return try NpyMatrix(path: unpacked)
    }
    let start = Int(inner.offset)
    guard let code = inner.type, let type = NpyType(rawValue: code) else {
      return try NpyMatrix(path: path, npyAt: start..<(start + Int(inner.length)))
    }
    return try NpyMatrix(path: path, offset: start, type: type, shape: inner.shape)
  }

  /// The features that a data set's own format brings, if it does, by way of a file that is removed afterwards.
  ///
  /// - Parameter folder: Where the file lies meanwhile.
  package static func withOwn<Value>(
    of dataset: Dataset, in folder: String, _ body: (NpyMatrix?) throws -> Value
  ) throws -> Value {
    guard let format = dataset.features else { return try body(nil) }
    let path = "\(folder)/.features-\(UUID().uuidString).npy"
    defer { unlink(path) }
    let output = try NpyOutput(path: path)
    var dimension = 0
    try format.readFeatures { row in
      dimension = row.count
      try output.append(row)
    }
    try output.finish(dimension: dimension)
    let matrix = try NpyMatrix(path: path)
    // Mapped, it needs no name, and a kill leaves none.
    unlink(path)
    return try body(matrix)
  }
}
