import Files
import Foundation

/// A `.npy` file of numbers, mapped into memory and read row by row as float32.
package struct NpyMatrix: Sendable {
  let file: MappedFile
  let header: NpyHeader

  /// - Throws: `WorkspaceError` if it is no `.npy` file of one or two dimensions, in C order, of float16,
  ///   float32 or float64, or its length is not what its header says.
  package init(path: String) throws(WorkspaceError) {
    file = try MappedFile(path: path)
    header = try NpyHeader(parsing: file.bytes, file: path)
    guard (1...2).contains(header.shape.count) else {
      throw WorkspaceError(
        .invalidInput, file: path, "has the shape \(header.shape), not [rows, dimension]",
        remedy: "Save a matrix with one row per image")
    }
    guard [.float16, .float32, .float64].contains(header.type) else {
      throw WorkspaceError(
        .invalidInput, file: path, "holds elements of type \(header.type.rawValue)",
        remedy: "Save it as float32: array.astype('<f4')")
    }
  }

  package var path: String { file.path }
  package var type: NpyType { header.type }
  package var count: Int { header.shape[0] }
  package var dimension: Int { header.shape.count == 2 ? header.shape[1] : 1 }

  /// Copies some rows to `target`, `[rows.count, dimension]`.
  package func copyRows(_ rows: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "rows \(rows) of \(count)")
    let values = rows.count * dimension
    guard values > 0, let base = file.bytes.baseAddress else { return }
    // Headers of other programs need not end where a number may begin.
    MemoryLimit.didRead(rows.count == 1 ? MemoryLimit.randomRead : values * type.size)
    let source = base + header.offset + rows.lowerBound * dimension * type.size
    switch type {
    case .float32:
      UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: values * 4)
    case .float16:
      HalfFloat.widen(source, into: target, count: values)
    case .bfloat16:
      for index in 0..<values {
        let half = source.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
        target[index] = Float(bitPattern: UInt32(half) << 16)
      }
    default:
      for index in 0..<values {
        target[index] = Float(source.loadUnaligned(fromByteOffset: index * 8, as: Double.self))
      }
    }
  }
}
