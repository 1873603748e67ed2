import Files

/// A tensor that the header of a safetensors file names.
struct SafeTensorsEntry {
  var name: String
  var dtype: StoredDType
  var shape: [Int]
  /// Where the bytes lie, counted from the end of the header.
  var start: Int
  var end: Int

  private static let dtypes = Dictionary(
    uniqueKeysWithValues: StoredDType.allCases.map { ($0.safeTensorsCode, $0) })

  /// Those of a header, in the file's order.
  static func entries(of header: SafeTensorsHeader) throws(CheckpointFault) -> [SafeTensorsEntry] {
    var entries: [SafeTensorsEntry] = []
    for entry in header.entries { entries.append(try SafeTensorsEntry(entry)) }
    return entries
  }

  private init(_ entry: SafeTensorsHeader.Entry) throws(CheckpointFault) {
    guard let dtype = Self.dtypes[entry.type] else {
      throw CheckpointFault(
        "tensor '\(entry.name)' has elements of type \(entry.type), which CleanNet does not read",
        remedy: "Convert it to one of \(Self.dtypes.keys.sorted().joined(separator: ", "))")
    }
    guard StoredTensor.byteCount(of: dtype, shape: entry.shape) == entry.end - entry.start else {
      throw CheckpointFault(
        "tensor '\(entry.name)' of \(dtype.rawValue) \(entry.shape) cannot lie in the bytes "
          + "\(entry.start)..<\(entry.end)")
    }
    name = entry.name
    self.dtype = dtype
    shape = entry.shape
    start = entry.start
    end = entry.end
  }
}

extension SafeTensorsHeader {
  /// - Throws: `CheckpointFault` where the text is no header.
  init(text: [UInt8]) throws(CheckpointFault) {
    do throws(JSONScanner.Fault) {
      try self.init(json: text)
    } catch {
      throw CheckpointFault("the header is damaged: \(error.what) (byte \(error.offset) of its JSON)")
    }
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
