import Foundation

/// Takes tensors out of storages, laying strided ones out in C order.
struct TensorReader {
  private var storages: [String: Data] = [:]
  /// Bytes that may still be copied: files that ask for far more than they hold are refused.
  private var copyBudget: Int

  init(fileCount: Int) { copyBudget = 4 * fileCount + (1 << 20) }

  static func conflict(over key: String) -> CheckpointFault {
    CheckpointFault(
      "describes storage '\(key)' in two ways, as tensors of two types over the same memory do",
      remedy: CheckpointFault.resave)
  }

  /// Adds the bytes of a root storage.
  mutating func add(_ bytes: Data, for storage: PickledStorage) throws(CheckpointFault) {
    let (expected, overflow) = storage.count.multipliedReportingOverflow(by: storage.dtype.byteCount)
    guard !overflow, bytes.count == expected else {
      throw CheckpointFault(
        "storage '\(storage.key)' takes \(bytes.count) bytes, which are not \(storage.count) \(storage.dtype.rawValue)"
      )
    }
    storages[storage.key] = bytes
  }

  /// The tensor that a pickle describes.
  mutating func tensor(
    _ tensor: PickledTensor, named name: String, in heap: PickleHeap
  ) throws(CheckpointFault) -> StoredTensor {
    let storage = heap.storages[tensor.storage]
    guard let bytes = storages[storage.key] else { throw CheckpointFault("lacks storage '\(storage.key)'") }
    let width = storage.dtype.byteCount
    guard let byteCount = StoredTensor.byteCount(of: storage.dtype, shape: tensor.shape),
      TensorReader.lies(tensor, within: storage.range.count)
    else {
      throw CheckpointFault(
        "tensor '\(name)' of shape \(tensor.shape) with strides \(tensor.strides) from element \(tensor.offset) "
          + "reaches outside its storage of \(storage.range.count) elements")
    }
    guard byteCount <= storage.range.count * width else {
      throw CheckpointFault(
        "tensor '\(name)' of shape \(tensor.shape) repeats the \(storage.range.count) elements of its storage",
        remedy: "In Python, save \(name).contiguous() instead of an expanded tensor")
    }
    guard byteCount > 0 else { return StoredTensor(dtype: storage.dtype, shape: tensor.shape, bytes: Data()) }
    let start = bytes.startIndex + (storage.range.lowerBound + tensor.offset) * width
    let run = TensorReader.contiguousRun(tensor)
    if run.count * width == byteCount {
      return StoredTensor(
        dtype: storage.dtype, shape: tensor.shape, bytes: bytes[start..<(start + byteCount)])
    }
    guard byteCount <= copyBudget else {
      throw CheckpointFault("its strided tensors hold far more than the file", remedy: CheckpointFault.resave)
    }
    copyBudget -= byteCount
    // The stride of a dimension of size 1 says nothing and may be any number.
    let outer = zip(tensor.shape, tensor.strides).prefix(run.outerRank).filter { $0.0 != 1 }
    let copy = TensorReader.gathered(
      bytes[start...], byteCount: byteCount, runByteCount: run.count * width,
      sizes: outer.map { $0.0 }, strides: outer.map { $0.1 * width })
    return StoredTensor(dtype: storage.dtype, shape: tensor.shape, bytes: copy)
  }

  /// Runs of bytes laid end to end, taken at the places that sizes and strides (in bytes) give, in C order.
  ///
  /// The caller has made sure that every run lies in the source and that they fill `byteCount`.
  private static func gathered(
    _ source: Data, byteCount: Int, runByteCount: Int, sizes: [Int], strides: [Int]
  ) -> Data {
    var copy = Data(count: byteCount)
    copy.withUnsafeMutableBytes { target in
      source.withUnsafeBytes { source in
        guard let target = target.baseAddress, let source = source.baseAddress else { return }
        var index = [Int](repeating: 0, count: sizes.count)
        var place = 0
        for written in stride(from: 0, to: byteCount, by: runByteCount) {
          (target + written).copyMemory(from: source + place, byteCount: runByteCount)
          // On to the next index, carrying like an odometer.
          var dimension = sizes.count - 1
          while dimension >= 0 {
            index[dimension] += 1
            place += strides[dimension]
            if index[dimension] < sizes[dimension] { break }
            place -= sizes[dimension] * strides[dimension]
            index[dimension] = 0
            dimension -= 1
          }
        }
      }
    }
    return copy
  }

  /// Whether every element of a tensor is one of its storage's.
  private static func lies(_ tensor: PickledTensor, within count: Int) -> Bool {
    guard tensor.offset >= 0, tensor.offset <= count, tensor.strides.allSatisfy({ $0 >= 0 }) else {
      return false
    }
    if tensor.shape.contains(0) { return true }
    var last = tensor.offset
    for (size, stride) in zip(tensor.shape, tensor.strides) {
      let (span, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, carry) = last.addingReportingOverflow(span)
      guard !overflow, !carry else { return false }
      last = sum
    }
    return last < count
  }

  /// The trailing dimensions that lie in C order: how many dimensions come before them, and the elements they hold.
  private static func contiguousRun(_ tensor: PickledTensor) -> (outerRank: Int, count: Int) {
    var count = 1
    for dimension in tensor.shape.indices.reversed() where tensor.shape[dimension] != 1 {
      guard tensor.strides[dimension] == count else { return (dimension + 1, count) }
      count *= tensor.shape[dimension]
    }
    return (0, count)
  }
}
