/// The JSON header of a safetensors file.
struct SafeTensorsHeader {
  struct Entry {
    var name: String
    var dtype: StoredDType
    var shape: [Int]
    /// Where the bytes lie, counted from the end of the header.
    var start: Int
    var end: Int
  }

  var entries: [Entry] = []
  var metadata: [String: String] = [:]

  static let metadataKey = "__metadata__"

  private static let dtypes = Dictionary(
    uniqueKeysWithValues: StoredDType.allCases.map { ($0.safeTensorsCode, $0) })

  init(json: [UInt8]) throws(CheckpointFault) {
    var scanner = HeaderScanner(json)
    var hasMetadata = false
    var names: Set<String> = []
    try scanner.object { (scanner, key) throws(CheckpointFault) in
      if key == SafeTensorsHeader.metadataKey {
        guard !hasMetadata else { throw CheckpointFault("the header holds \(key) twice") }
        hasMetadata = true
        metadata = try SafeTensorsHeader.metadata(&scanner)
      } else {
        guard names.insert(key).inserted else {
          throw CheckpointFault("the header holds tensor '\(key)' twice")
        }
        entries.append(try SafeTensorsHeader.entry(named: key, &scanner))
      }
    }
    try scanner.end()
  }

  private static func metadata(_ scanner: inout HeaderScanner) throws(CheckpointFault) -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.object { (scanner, key) throws(CheckpointFault) in
      let value = try scanner.string()
      guard metadata.updateValue(value, forKey: key) == nil else {
        throw CheckpointFault("the header's metadata hold '\(key)' twice")
      }
    }
    return metadata
  }

  private static func entry(
    named name: String, _ scanner: inout HeaderScanner
  ) throws(CheckpointFault) -> Entry {
    var dtype: StoredDType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { (scanner, key) throws(CheckpointFault) in
      switch key {
      case "dtype" where dtype == nil:
        let code = try scanner.string()
        guard let known = dtypes[code] else {
          throw CheckpointFault(
            "tensor '\(name)' has elements of type \(code), which CleanNet does not read",
            remedy: "Convert it to one of \(dtypes.keys.sorted().joined(separator: ", "))")
        }
        dtype = known
      case "shape" where shape == nil: shape = try scanner.integers()
      case "data_offsets" where offsets == nil: offsets = try scanner.integers()
      default: throw CheckpointFault("tensor '\(name)' has an unknown or repeated field '\(key)'")
      }
    }
    guard let dtype, let shape, let offsets, offsets.count == 2 else {
      throw CheckpointFault("tensor '\(name)' lacks its dtype, its shape or its two data_offsets")
    }
    guard offsets[0] <= offsets[1],
      StoredTensor.byteCount(of: dtype, shape: shape) == offsets[1] - offsets[0]
    else {
      throw CheckpointFault(
        "tensor '\(name)' of \(dtype.rawValue) \(shape) cannot lie in the bytes \(offsets[0])..<\(offsets[1])"
      )
    }
    return Entry(name: name, dtype: dtype, shape: shape, start: offsets[0], end: offsets[1])
  }
}

extension StoredDType {
  /// The name that safetensors gives to the type.
  var safeTensorsCode: String {
    switch self {
    case .float64: "F64"
    case .float32: "F32"
    case .float16: "F16"
    case .bfloat16: "BF16"
    case .int64: "I64"
    case .int32: "I32"
    case .int16: "I16"
    case .int8: "I8"
    case .uint8: "U8"
    case .bool: "BOOL"
    }
  }
}
