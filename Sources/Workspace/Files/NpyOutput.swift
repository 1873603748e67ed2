import Foundation

/// Writes a `.npy` matrix of float32 row by row, without knowing beforehand how many there will be.
///
/// For one thread. The file appears at `finish`, whole or not at all.
public final class NpyOutput {
  /// Room for any shape, so that the header can be written once the rows are counted.
  private static let headerBytes = 128

  private let path: String
  private let temporary: String
  private let descriptor: CInt
  private var isFinished = false
  private var pending: [UInt8] = []
  private var values = 0

  public init(path: String) throws(WorkspaceError) {
    self.path = path
    let url = URL(fileURLWithPath: path)
    temporary = "\(url.deletingLastPathComponent().path)/.\(url.lastPathComponent).\(UUID().uuidString)"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system(file: path, "cannot be created") }
    pending = [UInt8](repeating: 0, count: Self.headerBytes)
  }

  deinit {
    close(descriptor)
    if !isFinished { unlink(temporary) }
  }

  public func append(_ row: UnsafeBufferPointer<Float>) throws(WorkspaceError) {
    values += row.count
    pending.append(contentsOf: UnsafeRawBufferPointer(row))
    if pending.count >= 1 << 20 { try flush() }
  }

  /// Puts the file in place.
  /// - Parameter dimension: Of a row; `nil`: the values are no matrix but a list.
  public func finish(dimension: Int?) throws(WorkspaceError) {
    try flush()
    let shape = dimension.map { [$0 > 0 ? values / $0 : 0, $0] } ?? [values]
    precondition(shape.reduce(1, *) == values, "\(values) values do not fill rows of \(dimension ?? 1)")
    let header = NpyHeader(type: .float32, shape: shape).padded(to: Self.headerBytes)
    guard pwrite(descriptor, header, header.count, 0) == header.count, fsync(descriptor) == 0,
      rename(temporary, path) == 0
    else { throw .system(file: path, "cannot be written") }
    isFinished = true
  }

  private func flush() throws(WorkspaceError) {
    let outcome = pending.withUnsafeBytes { bytes in
      Result { () throws(WorkspaceError) in try writeAll(bytes, to: descriptor, file: path) }
    }
    try outcome.get()
    pending.removeAll(keepingCapacity: true)
  }
}
