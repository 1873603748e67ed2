import Foundation

/// The element types of `.npy` files that are read and written here.
public enum NpyType: String, Sendable, Hashable, Codable {
  case float16 = "<f2"
  /// The upper half of a float32, as tensors of safetensors files have it; NumPy does not know it.
  case bfloat16
  case float32 = "<f4"
  case float64 = "<f8"
  case int32 = "<i4"
  case uint8 = "|u1"

  public var size: Int {
    switch self {
    case .uint8: 1
    case .float16, .bfloat16: 2
    case .float32, .int32: 4
    case .float64: 8
    }
  }
}

/// The header of NumPy's `.npy` format: a magic number, a version, and a Python dictionary with type and
/// shape.
struct NpyHeader: Hashable {
  var type: NpyType
  /// Outermost first, C order.
  var shape: [Int]
  /// Where the values begin.
  var offset: Int

  /// A header of version 1.0 that ends at a multiple of 64 bytes, as NumPy's own do.
  init(type: NpyType, shape: [Int]) {
    self.type = type
    self.shape = shape
    offset = (10 + Self.dictionary(type, shape).utf8.count + 1 + 63) / 64 * 64
  }

  /// A header of values that begin elsewhere.
  init(type: NpyType, shape: [Int], offset: Int) {
    self.type = type
    self.shape = shape
    self.offset = offset
  }

  /// The header, made longer so that the values begin at `offset`.
  func padded(to offset: Int) -> [UInt8] {
    precondition(offset >= self.offset && offset % 64 == 0)
    return NpyHeader(type: type, shape: shape, offset: offset).bytes
  }

  var bytes: [UInt8] {
    let text = Self.dictionary(type, shape)
    let padding = offset - 10 - text.utf8.count - 1
    let length = UInt16(offset - 10)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
      + [UInt8](repeating: 0x20, count: padding) + [0x0A]
  }

  private static func dictionary(_ type: NpyType, _ shape: [Int]) -> String {
    let sizes = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
    return "{'descr': '\(type.rawValue)', 'fortran_order': False, 'shape': (\(sizes)), }"
  }

  /// The number of bytes of the whole file; `nil` if no file is that large.
  var fileSize: Int? {
    var total = type.size
    for size in shape {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      guard !overflow else { return nil }
      total = product
    }
    let (sum, overflow) = total.addingReportingOverflow(offset)
    return overflow ? nil : sum
  }

  /// Reads the header of a file's bytes and checks it against their number.
  init(parsing bytes: UnsafeRawBufferPointer, file: String) throws(WorkspaceError) {
    func fault(_ what: String, _ remedy: String) -> WorkspaceError {
      WorkspaceError(.invalidInput, file: file, what, remedy: remedy)
    }
    let again = "Write it again with numpy.save"
    guard bytes.count >= 12, bytes[0] == 0x93, bytes[1..<6].elementsEqual("NUMPY".utf8) else {
      throw fault("is no .npy file", again)
    }
    let wide = bytes[6] >= 2
    let lengthBytes = bytes[8..<(wide ? 12 : 10)]
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    let start = wide ? 12 : 10
    guard bytes[6] <= 3, length <= bytes.count - start,
      let text = String(validating: bytes[start..<(start + length)], as: UTF8.self)
    else { throw fault("has a damaged header", again) }
    guard let description = Self.value(of: "descr", in: text),
      description.first == "'" || description.first == "\"",
      let order = Self.value(of: "fortran_order", in: text), let sizes = Self.value(of: "shape", in: text)
    else { throw fault("has a header without descr, fortran_order or shape", again) }
    let name = description.dropFirst().prefix { $0 != "'" && $0 != "\"" }
    guard let type = NpyType(rawValue: String(name)), type != .bfloat16 else {
      throw fault("holds elements of type \(name)", "Save it as float32: array.astype('<f4')")
    }
    guard order.hasPrefix("False") else {
      throw fault(
        "is in Fortran order", "Save it row by row: numpy.save(file, numpy.ascontiguousarray(array))")
    }
    let inner = sizes.dropFirst().prefix { $0 != ")" }
    let shape = inner.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter {
      !$0.isEmpty
    }
    .map { Int($0) ?? -1 }
    guard sizes.first == "(", shape.allSatisfy({ $0 >= 0 }) else { throw fault("has a damaged shape", again) }
    self.type = type
    self.shape = shape
    offset = start + length
    guard let fileSize, fileSize == bytes.count else {
      throw WorkspaceError(
        .damaged, file: file,
        "has \(bytes.count) bytes, where its header (\(type.rawValue), \(shape)) needs "
          + "\(self.fileSize ?? Int.max)",
        remedy: "Write it again")
    }
  }

  /// The text after a key of the dictionary.
  private static func value(of key: String, in text: String) -> Substring? {
    guard let range = text.range(of: "'\(key)':") ?? text.range(of: "\"\(key)\":") else { return nil }
    return text[range.upperBound...].drop { $0 == " " }
  }
}
