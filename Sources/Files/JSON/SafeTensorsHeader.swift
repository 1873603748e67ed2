/// The JSON header of a safetensors file: which tensors it holds, and where.
///
/// The format allows each name and field once; `JSONDecoder` would keep one of two and say nothing.
package struct SafeTensorsHeader {
  package struct Entry {
    package var name: String
    /// As safetensors names types: "F32", "BF16" …
    package var type: String
    package var shape: [Int]
    /// Where the bytes lie, counted from the end of the header; `start` is not above `end`.
    package var start: Int
    package var end: Int
  }

  /// In the file's order.
  package private(set) var entries: [Entry] = []
  package private(set) var metadata: [String: String] = [:]

  package static let metadataKey = "__metadata__"

  /// More than the dimensions of any tensor.
  private static let mostNumbers = 64

  package init(json: [UInt8]) throws(JSONScanner.Fault) {
    var names: Set<String> = []
    try json.withUnsafeBufferPointer { bytes throws(JSONScanner.Fault) in
      var scanner = JSONScanner(bytes)
      try scanner.object { (name, scanner) throws(JSONScanner.Fault) in
        guard names.insert(name).inserted else { throw Self.fault("it holds '\(name)' twice", scanner) }
        if name == Self.metadataKey {
          metadata = try Self.metadata(&scanner)
        } else {
          entries.append(try Self.entry(named: name, &scanner))
        }
      }
    }
  }

  private static func metadata(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
      guard metadata.updateValue(try scanner.text(), forKey: name) == nil else {
        throw fault("its metadata hold '\(name)' twice", scanner)
      }
    }
    return metadata
  }

  private static func entry(
    named name: String, _ scanner: inout JSONScanner
  ) throws(JSONScanner.Fault) -> Entry {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.members { (field, scanner) throws(JSONScanner.Fault) in
      switch field {
      case "dtype" where type == nil: type = try scanner.text()
      case "shape" where shape == nil: shape = try numbers(&scanner)
      case "data_offsets" where offsets == nil: offsets = try numbers(&scanner)
      default: throw fault("tensor '\(name)' has an unknown or repeated field '\(field)'", scanner)
      }
    }
    guard let type, let shape, let offsets, offsets.count == 2 else {
      throw fault("tensor '\(name)' lacks its dtype, its shape or its two data_offsets", scanner)
    }
    guard offsets[0] <= offsets[1] else {
      throw fault("tensor '\(name)' cannot lie in the bytes \(offsets[0])..<\(offsets[1])", scanner)
    }
    return Entry(name: name, type: type, shape: shape, start: offsets[0], end: offsets[1])
  }

  private static func numbers(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> [Int] {
    var numbers: [Int] = []
    try scanner.elements { scanner throws(JSONScanner.Fault) in
      guard numbers.count < mostNumbers else { throw fault("a list has more than 64 numbers", scanner) }
      numbers.append(try scanner.wholeNumber())
    }
    return numbers
  }

  private static func fault(_ what: String, _ scanner: JSONScanner) -> JSONScanner.Fault {
    JSONScanner.Fault(what: what, offset: scanner.offset)
  }
}
