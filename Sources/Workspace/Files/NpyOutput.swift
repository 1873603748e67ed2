import Files
import Foundation

/// Writes a `.npy` matrix of float32 row by row, without knowing beforehand how many there will be.
///
/// For one thread. The file appears at `finish`, completely or not at all.
package final class NpyOutput {
  /// Room for any shape, so that the header can be written once the rows are counted.
  private static let headerBytes = 128

  private let file: DurableFile
  private var pending: [UInt8] = []
  private var values = 0

  package init(path: String) throws(WorkspaceError) {
    file = try WorkspaceError.translating { () throws(FileError) in try DurableFile(path) }
    pending = [UInt8](repeating: 0, count: Self.headerBytes)
  }

  package func append(_ row: UnsafeBufferPointer<Float>) throws(WorkspaceError) {
    values += row.count
    pending.append(contentsOf: UnsafeRawBufferPointer(row))
    if pending.count >= 1 << 20 { try flush() }
  }

  /// Puts the file in place.
  /// - Parameter dimension: Of a row; `nil`: the values are no matrix but a list.
  package func finish(dimension: Int?) throws(WorkspaceError) {
    try flush()
    let shape = dimension.map { [$0 > 0 ? values / $0 : 0, $0] } ?? [values]
    precondition(shape.reduce(1, *) == values, "\(values) values do not fill rows of \(dimension ?? 1)")
    let header = NpyHeader(type: .float32, shape: shape).padded(to: Self.headerBytes)
    try WorkspaceError.translating { () throws(FileError) in
      try file.replace(header, at: 0)
      try file.finish()
    }
  }

  private func flush() throws(WorkspaceError) {
    try WorkspaceError.translating { () throws(FileError) in try file.write(pending) }
    pending.removeAll(keepingCapacity: true)
  }
}
