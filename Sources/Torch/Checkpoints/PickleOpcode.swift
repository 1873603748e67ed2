/// The instructions of Python's pickles that are obeyed: enough for what `torch.save` writes of weights.
///
/// Numbers and meanings are those of Python's `pickletools` (protocols 2 to 5).
enum PickleOpcode: UInt8 {
  case protocolVersion = 0x80
  case frame = 0x95
  case stop = 0x2E
  case mark = 0x28

  case none = 0x4E
  case newTrue = 0x88
  case newFalse = 0x89
  case int32 = 0x4A
  case uint8 = 0x4B
  case uint16 = 0x4D
  case long1 = 0x8A
  case float64 = 0x47

  case text = 0x58
  case shortText = 0x8C
  /// Strings of Python 2.
  case byteString = 0x54
  case shortByteString = 0x55

  case emptyDictionary = 0x7D
  case emptyList = 0x5D
  case emptyTuple = 0x29
  case tuple = 0x74
  case tuple1 = 0x85
  case tuple2 = 0x86
  case tuple3 = 0x87
  case append = 0x61
  case appends = 0x65
  case setItem = 0x73
  case setItems = 0x75

  case global = 0x63
  case stackGlobal = 0x93
  case reduce = 0x52
  case build = 0x62
  case persistentID = 0x51

  case put = 0x71
  case longPut = 0x72
  case memoize = 0x94
  case get = 0x68
  case longGet = 0x6A

  /// The effect that a refused instruction would have, for the ones that a reader may meet.
  static func meaning(of byte: UInt8) -> String? {
    switch byte {
    case 0x69, 0x6F, 0x81, 0x92: "makes an object of any class"
    case 0x82, 0x83, 0x84: "calls a registered extension"
    case 0x42, 0x43, 0x8E, 0x96: "makes bytes"
    case 0x8F, 0x90, 0x91: "makes a set"
    case 0x46, 0x49, 0x4C, 0x50, 0x53, 0x56, 0x64, 0x67, 0x6C, 0x70: "belongs to the oldest protocol"
    default: nil
    }
  }
}
