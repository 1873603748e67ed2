import Foundation

/// The type of a stored tensor's elements.
public enum StoredDType: String, Sendable, Hashable, CaseIterable {
  case float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, bool

  /// Bytes an element takes.
  public var byteCount: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }
}

/// A tensor as a file holds it: the type and shape of its elements, and their bytes.
///
/// Read from a file, `bytes` mostly lie in the file's memory map and cost no memory until they are touched. They are
/// a slice, so their first index need not be 0, and they need not be aligned.
public struct StoredTensor: Sendable, Hashable {
  public let dtype: StoredDType
  /// Sizes, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The elements in C order, each little endian.
  public let bytes: Data

  /// A tensor of bytes that fit the type and the shape.
  public init(dtype: StoredDType, shape: [Int], bytes: Data) {
    precondition(
      StoredTensor.byteCount(of: dtype, shape: shape) == bytes.count,
      "\(bytes.count) bytes are no \(dtype.rawValue) tensor of shape \(shape)")
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }

  /// A float32 tensor of elements in C order.
  public init(_ values: [Float], shape: [Int]) {
    var bytes = Data(capacity: 4 * values.count)
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    self.init(dtype: .float32, shape: shape, bytes: bytes)
  }

  /// The number of elements.
  public var count: Int { bytes.count / dtype.byteCount }

  /// The elements as float32, in C order; `bool` becomes 0 and 1, and float64 is rounded.
  ///
  /// - Throws: ``InexactConversion`` where an integer is none of float32's, or a finite float64 lies beyond its range.
  public func floats() throws(InexactConversion) -> [Float] {
    switch dtype {
    case .float32: return elements(UInt32.self) { Float(bitPattern: $0) }
    case .float16: return elements(UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .bfloat16: return elements(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .float64: return try narrowed(elements(UInt64.self) { Double(bitPattern: $0) })
    case .int64: return try exact(elements(Int64.self) { $0 })
    case .int32: return try exact(elements(Int32.self) { $0 })
    case .int16: return elements(Int16.self) { Float($0) }
    case .int8: return elements(Int8.self) { Float($0) }
    case .uint8: return elements(UInt8.self) { Float($0) }
    case .bool: return elements(UInt8.self) { $0 == 0 ? 0 : 1 }
    }
  }

  private func elements<Raw: FixedWidthInteger & BitwiseCopyable, Element>(
    _ raw: Raw.Type, _ convert: (Raw) -> Element
  ) -> [Element] {
    bytes.withUnsafeBytes { buffer in
      (0..<count).map { index in
        convert(
          Raw(
            littleEndian: buffer.loadUnaligned(fromByteOffset: index * MemoryLayout<Raw>.size, as: Raw.self)))
      }
    }
  }

  private func narrowed(_ values: [Double]) throws(InexactConversion) -> [Float] {
    let floats = values.map { Float($0) }
    for (index, value) in values.enumerated() where value.isFinite && !floats[index].isFinite {
      throw InexactConversion(index: index, value: "\(value)", dtype: dtype)
    }
    return floats
  }

  private func exact<Integer: FixedWidthInteger>(_ values: [Integer]) throws(InexactConversion) -> [Float] {
    var floats: [Float] = []
    floats.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      guard let float = Float(exactly: value) else {
        throw InexactConversion(index: index, value: "\(value)", dtype: dtype)
      }
      floats.append(float)
    }
    return floats
  }

  /// Bytes that a tensor takes, or nil where a size is negative or the product overflows.
  static func byteCount(of dtype: StoredDType, shape: [Int]) -> Int? {
    guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
    // A zero anywhere makes the tensor empty, whatever the other sizes multiply to.
    if shape.contains(0) { return 0 }
    var total = dtype.byteCount
    for size in shape {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      total = product
    }
    return total
  }
}

/// An element of a stored tensor that float32 cannot hold.
public struct InexactConversion: Error, CustomStringConvertible, Sendable, Hashable {
  /// The element's place in C order.
  public var index: Int
  /// The element as text.
  public var value: String
  public var dtype: StoredDType

  public init(index: Int, value: String, dtype: StoredDType) {
    self.index = index
    self.value = value
    self.dtype = dtype
  }

  public var description: String {
    "element \(index), \(value) as \(dtype.rawValue), does not fit in float32. Read its bytes instead."
  }
}
