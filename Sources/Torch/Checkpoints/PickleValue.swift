/// A value that a pickle builds.
///
/// Values that hold others are places in a ``PickleHeap``: a pickle may share them, change them after sharing and let
/// them hold themselves, and nesting of any depth is freed without recursion.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  /// An integer beyond 64 bits: little-endian two's complement.
  case longInteger([UInt8])
  case real(Double)
  case string(String)
  case tuple(Int)
  case list(Int)
  case dictionary(Int)
  case storage(Int)
  case tensor(Int)
  case global(PickleGlobal)
}

/// The names of Python objects that a pickle may ask for.
enum PickleGlobal {
  case orderedDictionary, rebuildTensor, rebuildParameter, size
  case storage(StoredDType)

  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch", "Size"): self = .size
    case ("torch", "DoubleStorage"): self = .storage(.float64)
    case ("torch", "FloatStorage"): self = .storage(.float32)
    case ("torch", "HalfStorage"): self = .storage(.float16)
    case ("torch", "BFloat16Storage"): self = .storage(.bfloat16)
    case ("torch", "LongStorage"): self = .storage(.int64)
    case ("torch", "IntStorage"): self = .storage(.int32)
    case ("torch", "ShortStorage"): self = .storage(.int16)
    case ("torch", "CharStorage"): self = .storage(.int8)
    case ("torch", "ByteStorage"): self = .storage(.uint8)
    case ("torch", "BoolStorage"): self = .storage(.bool)
    default: return nil
    }
  }
}

/// Memory that a file holds for tensors, as a pickle names it.
struct PickledStorage {
  /// The name of the root storage.
  var key: String
  var dtype: StoredDType
  /// Elements of the root storage.
  var count: Int
  /// The part of the root storage meant, in elements.
  var range: Range<Int>
}

/// A tensor as a pickle describes it: sizes and strides over a storage, in elements.
struct PickledTensor {
  var storage: Int
  var offset: Int
  var shape: [Int]
  var strides: [Int]
}

/// The values that hold others.
struct PickleHeap {
  var tuples: [[PickleValue]] = []
  var lists: [[PickleValue]] = []
  /// Items in the order in which they were set.
  var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  var storages: [PickledStorage] = []
  var tensors: [PickledTensor] = []
}
