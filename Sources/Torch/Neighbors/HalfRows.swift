import Files
import Foundation

/// Vectors in half precision, `[n, d]`, in memory or in a file: a quarter of the bytes of float32 and a copy.
final class HalfRows: Sendable {
  let count: Int
  let dimension: Int
  private let memory: MappedBytes

  init(_ memory: MappedBytes, count: Int, dimension: Int) {
    precondition(memory.bytes.count >= count * dimension * 2, "there is no room for \(count) vectors")
    self.memory = memory
    self.count = count
    self.dimension = dimension
  }

  static func byteCount(_ count: Int, dimension: Int) -> Int { count * dimension * 2 }

  private var width: Int { dimension * 2 }

  /// All bytes, not copied.
  var data: Data {
    let count = count * width
    guard count > 0, let start = memory.bytes.baseAddress else { return Data() }
    return Data(bytesNoCopy: start, count: count, deallocator: .custom { [memory] _, _ in _ = memory })
  }

  /// The bytes of one row.
  func bytes(_ row: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: memory.bytes[row * width..<(row + 1) * width])
  }

  /// Sets the rows from `start` on: `[n, d]`, of any type.
  func set(from start: Int, _ rows: Tensor) {
    let half = rows.to(.float16).contiguous()
    half.withUnsafeBytes { source in
      MemoryLimit.didRead(source.count)
      precondition(start >= 0 && (start + source.count / max(1, width)) <= count, "the rows do not fit")
      UnsafeMutableRawBufferPointer(rebasing: memory.bytes[(start * width)...]).copyMemory(from: source)
    }
  }

  /// Sets one row to another's.
  func set(_ row: Int, from other: HalfRows, _ otherRow: Int) {
    UnsafeMutableRawBufferPointer(rebasing: memory.bytes[(row * width)...]).copyMemory(
      from: other.bytes(otherRow))
  }

  /// A range of rows, float32.
  func rows(_ range: Range<Int>) -> Tensor {
    let bytes = UnsafeRawBufferPointer(
      rebasing: memory.bytes[range.lowerBound * width..<range.upperBound * width])
    MemoryLimit.didRead(bytes.count)
    return Tensor(copying: bytes, shape: [range.count, dimension], dtype: .float16).to(.float32)
  }

  /// Some rows, float32.
  func rows(_ indices: some Collection<Int32>) -> Tensor {
    let rows = Tensor.empty([indices.count, dimension], dtype: .float16)
    MemoryLimit.didRead(indices.count * max(width, MemoryLimit.randomRead))
    rows.withUnsafeMutableBytes { target in
      for (place, index) in indices.enumerated() {
        UnsafeMutableRawBufferPointer(rebasing: target[(place * width)...]).copyMemory(
          from: bytes(Int(index)))
      }
    }
    return rows.to(.float32)
  }

  /// For each row the first that has the same bytes: itself, where there is no earlier one.
  func firstEqualRows(digests: [UInt64]) -> [Int32] {
    var capacity = 16
    while capacity < 2 * count { capacity *= 2 }
    var table = [Int32](repeating: -1, count: capacity)
    return (0..<count).map { row in
      var slot = Int(truncatingIfNeeded: digests[row]) & (capacity - 1)
      while table[slot] >= 0 {
        let other = Int(table[slot])
        if digests[other] == digests[row], bytes(other).elementsEqual(bytes(row)) {
          return Int32(other)
        }
        slot = (slot + 1) & (capacity - 1)
      }
      table[slot] = Int32(row)
      return Int32(row)
    }
  }
}
