import CTorch

/// The type of a tensor's elements.
public enum DType: Int32, Sendable, Hashable, CaseIterable {
  case uint8 = 0
  case int32 = 3
  case int64 = 4
  case float16 = 5
  case float32 = 6
  case float64 = 7
  case bool = 11
  case bfloat16 = 15

  /// Bytes an element takes.
  public var byteCount: Int {
    switch self {
    case .uint8, .bool: 1
    case .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }
}

/// An n-dimensional array on the engine, with automatic differentiation.
///
/// A tensor is a handle: copying the reference does not copy elements, and views (``narrow(dim:start:count:)``,
/// ``transpose(_:_:)`` …) share them. Operations make new tensors; the few that change one in place are named
/// `…InPlace` or documented so. Wrong shapes and types trap with libtorch's message.
///
/// Sendable without a lock, because libtorch counts references atomically and reading from several threads is safe;
/// whoever changes a tensor in place must be its only user at that time.
public final class Tensor: @unchecked Sendable {
  let handle: OpaquePointer

  /// Owns a handle that the engine gave away.
  init(handle: OpaquePointer) { self.handle = handle }

  deinit { Engine.functions.release(handle) }

  // MARK: Facts

  /// Sizes, outermost first.
  public var shape: [Int] {
    let functions = Engine.functions
    return (0..<max(0, functions.rank(handle))).map { Int(functions.size(handle, $0)) }
  }

  /// The number of dimensions.
  public var rank: Int { Int(Engine.functions.rank(handle)) }

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// The type of the elements.
  public var dtype: DType {
    guard let dtype = DType(rawValue: Engine.functions.dtype(handle)) else {
      preconditionFailure("a tensor of a type that CleanNet does not use")
    }
    return dtype
  }

  /// The size of one dimension; negative ones count from the last.
  public func size(_ dim: Int) -> Int {
    let size = Int(Engine.functions.size(handle, Int64(dim)))
    if size >= 0 { return size }
    guard MemoryAttempt.takes() else { Engine.trap("size") }
    return 1
  }

  // MARK: From and to the host

  /// A tensor of the given elements in C order.
  public convenience init(_ values: [Float], shape: [Int]? = nil) {
    self.init(copying: values, shape: shape ?? [values.count], dtype: .float32)
  }

  /// A tensor of the given elements in C order.
  public convenience init(_ values: [Double], shape: [Int]? = nil) {
    self.init(copying: values, shape: shape ?? [values.count], dtype: .float64)
  }

  /// A tensor of 64-bit integers, as indices are.
  public convenience init(_ values: [Int], shape: [Int]? = nil) {
    self.init(copying: values, shape: shape ?? [values.count], dtype: .int64)
  }

  /// A tensor of truth values.
  public convenience init(_ values: [Bool], shape: [Int]? = nil) {
    self.init(copying: values, shape: shape ?? [values.count], dtype: .bool)
  }

  private convenience init<Element>(copying values: [Element], shape: [Int], dtype: DType) {
    precondition(
      values.count == shape.reduce(1, *), "\(values.count) elements do not fill the shape \(shape)")
    self.init(handle: values.withUnsafeBytes { Tensor.copiedHandle($0, shape: shape, dtype: dtype) })
  }

  /// A tensor made of `bytes`, which are copied: elements of `dtype` in C order and the machine's byte order.
  public convenience init(copying bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType) {
    precondition(bytes.count == shape.reduce(dtype.byteCount, *), "\(bytes.count) bytes do not fill \(shape)")
    self.init(handle: Tensor.copiedHandle(bytes, shape: shape, dtype: dtype))
  }

  static func copiedHandle(
    _ bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType
  ) -> OpaquePointer {
    let sizes = shape.map(Int64.init)
    guard let source = bytes.baseAddress else {
      return checked("init", Engine.functions.empty(sizes, sizes.count, dtype.rawValue))
    }
    return checked("init", Engine.functions.from_bytes(source, sizes, sizes.count, dtype.rawValue))
  }

  /// The elements in C order, converted to `Float`.
  public func floats() -> [Float] { elements(as: .float32) }

  /// The elements in C order, converted to `Double`.
  public func doubles() -> [Double] { elements(as: .float64) }

  /// The elements in C order, converted to `Int`.
  public func ints() -> [Int] { elements(as: .int64) }

  /// The elements in C order, converted to truth values (not zero).
  public func bools() -> [Bool] { elements(as: .bool) }

  /// The elements as `dtype`, which must have the layout of `Element`.
  private func elements<Element>(as dtype: DType) -> [Element] {
    let source = to(dtype).to(Device.cpu).contiguous()
    let count = source.count
    guard count > 0, let data = Engine.functions.data(source.handle) else { return [] }
    return withExtendedLifetime(source) {
      Array(UnsafeBufferPointer(start: data.assumingMemoryBound(to: Element.self), count: count))
    }
  }

  /// The one element of a tensor that has just one.
  public var item: Double {
    var ok = false
    let value = Engine.functions.item(handle, &ok)
    guard ok || MemoryAttempt.takes() else { Engine.trap("item") }
    return value
  }

  /// Lends the elements' memory, in C order. The tensor must be contiguous.
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    precondition(Engine.functions.is_contiguous(handle), "only a contiguous tensor's memory can be lent")
    precondition(device == .cpu, "only memory of the CPU can be lent; take .to(.cpu)")
    return try withExtendedLifetime(self) {
      try body(UnsafeRawBufferPointer(start: Engine.functions.data(handle), count: count * dtype.byteCount))
    }
  }

  /// Lends the elements' memory for writing, in C order. The tensor must be contiguous, its user alone.
  public func withUnsafeMutableBytes<Result>(
    _ body: (UnsafeMutableRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    precondition(Engine.functions.is_contiguous(handle), "only a contiguous tensor's memory can be lent")
    precondition(device == .cpu, "only memory of the CPU can be lent; take .to(.cpu)")
    return try withExtendedLifetime(self) {
      try body(
        UnsafeMutableRawBufferPointer(start: Engine.functions.data(handle), count: count * dtype.byteCount))
    }
  }

  // MARK: Making

  /// A tensor of elements that nobody has set.
  public static func empty(_ shape: [Int], dtype: DType = .float32) -> Tensor {
    let sizes = shape.map(Int64.init)
    return wrap("empty", Engine.functions.empty(sizes, sizes.count, dtype.rawValue))
  }

  /// A tensor of one repeated value.
  public static func full(_ shape: [Int], _ value: Double, dtype: DType = .float32) -> Tensor {
    let sizes = shape.map(Int64.init)
    return wrap("full", Engine.functions.full(sizes, sizes.count, value, dtype.rawValue))
  }

  /// Zeros in float32, as many as another tensor has elements, on its device.
  package static func zeros(like other: Tensor) -> Tensor { zeros(other.shape).to(other.device) }

  /// Zeros.
  public static func zeros(_ shape: [Int], dtype: DType = .float32) -> Tensor { full(shape, 0, dtype: dtype) }

  /// Ones.
  public static func ones(_ shape: [Int], dtype: DType = .float32) -> Tensor { full(shape, 1, dtype: dtype) }

  /// The integers from 0 to `count` − 1.
  public static func arange(_ count: Int) -> Tensor { wrap("arange", Engine.functions.arange(Int64(count))) }

  /// The identity matrix of `count` rows.
  public static func eye(_ count: Int) -> Tensor { wrap("eye", Engine.functions.eye(Int64(count))) }

  // MARK: The border to the engine

  static func checked(_ operation: StaticString, _ handle: OpaquePointer?) -> OpaquePointer {
    if let handle { return handle }
    guard MemoryAttempt.takes(), let substitute = MemoryAttempt.substitute() else { Engine.trap(operation) }
    return substitute
  }

  static func wrap(_ operation: StaticString, _ handle: OpaquePointer?) -> Tensor {
    Tensor(handle: checked(operation, handle))
  }

  static func check(_ operation: StaticString, _ succeeded: Bool) {
    guard succeeded || MemoryAttempt.takes() else { Engine.trap(operation) }
  }

  /// Calls an operation that gives two tensors.
  static func pair(
    _ operation: StaticString, _ body: (inout OpaquePointer?, inout OpaquePointer?) -> Bool
  ) -> (Tensor, Tensor) {
    var first: OpaquePointer?
    var second: OpaquePointer?
    check(operation, body(&first, &second))
    return (wrap(operation, first), wrap(operation, second))
  }
}

extension Tensor: CustomStringConvertible {
  public var description: String {
    let values = count <= 64 ? " \(doubles())" : ""
    return "Tensor(\(shape), \(dtype))\(values)"
  }
}
