import Datasets
import Foundation

/// Images that come as JSON lines from a pipe: whatever is there is judged at once, so that a program which writes one
/// line gets its answer before it writes the next.
///
/// A line is an object with one of `path`, `image` (the bytes of an image file in base64) and `features` (numbers, or
/// float32, little endian, in base64). It may also have `label` and `key`. A line that cannot be read is an image with
/// a problem.
package struct NewImageLines {
  private let descriptor: CInt
  private let root: String?
  private let keyPrefix: String
  private var pending: [UInt8] = []
  private var line = 0
  private var isAtEnd = false

  /// Lines may be as long as this; longer ones end the reading.
  static let longest = 256 << 20

  /// - Parameters:
  ///   - descriptor: Of a pipe or file.
  ///   - root: The folder that paths start from; nil: where the program runs.
  package init(_ descriptor: CInt, root: String? = nil, keyPrefix: String = "") {
    self.descriptor = descriptor
    self.root = root
    self.keyPrefix = keyPrefix
  }

  /// The contents of one line.
  private struct Line: Decodable {
    var key: String?
    var label: String?
    var content: NewImage.Content

    enum CodingKeys: String, CodingKey { case key, label, path, image, features }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      key = try Self.text(values, .key)
      label = try Self.text(values, .label)
      if let path = try values.decodeIfPresent(String.self, forKey: .path) {
        content = .location(.file(path))
        key = key ?? path
      } else if let image = try values.decodeIfPresent(String.self, forKey: .image) {
        guard let data = Data(base64Encoded: image) else {
          throw Self.fault("\"image\" is not base64", .image, values)
        }
        content = .bytes(Array(data))
      } else if let text = try? values.decode(String.self, forKey: .features) {
        guard let data = Data(base64Encoded: text), data.count % 4 == 0 else {
          throw Self.fault("\"features\" is no base64 of float32 numbers", .features, values)
        }
        content = .features(data.littleEndianFloats)
      } else if values.contains(.features) {
        content = .features(try values.decode([Float].self, forKey: .features))
      } else {
        throw Self.fault("it has none of \"path\", \"image\" and \"features\"", .path, values)
      }
    }

    /// A text, or a number as it is written.
    private static func text(
      _ values: KeyedDecodingContainer<CodingKeys>, _ name: CodingKeys
    ) throws -> String? {
      if let text = try? values.decodeIfPresent(String.self, forKey: name) { return text }
      return try values.decodeIfPresent(Int.self, forKey: name).map { "\($0)" }
    }

    private static func fault(
      _ what: String, _ key: CodingKeys, _ values: KeyedDecodingContainer<CodingKeys>
    ) -> DecodingError {
      .dataCorruptedError(forKey: key, in: values, debugDescription: what)
    }
  }

  /// The next lines, as many as are there, at least one and at most `count`; nil at the end.
  ///
  /// - Throws: ``PipelineError`` if the pipe cannot be read or a line is too long.
  package mutating func next(atMost count: Int) throws -> [NewImage]? {
    var images: [NewImage] = []
    var start = 0
    var searched = 0
    while images.count < count {
      guard let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
        searched = pending.count
        if !images.isEmpty { break }
        if isAtEnd {
          guard start < pending.count else { return nil }
          append(start..<pending.count, to: &images)
          start = pending.count
          break
        }
        try read()
        continue
      }
      append(start..<end, to: &images)
      start = end + 1
      searched = start
    }
    pending.removeFirst(start)
    return images
  }

  private mutating func read() throws {
    guard pending.count <= Self.longest else {
      throw PipelineError(
        .badInput, "Line \(line + 1) is longer than \(Self.longest >> 20) MB",
        remedy: "Write one object per line"
      )
    }
    let room = 1 << 18
    let count = pending.count
    pending += [UInt8](repeating: 0, count: room)
    let found = pending.withUnsafeMutableBytes { bytes in
      Foundation.read(descriptor, bytes.baseAddress.map { $0 + count }, room)
    }
    pending.removeLast(room - max(0, found))
    guard found >= 0 || errno == EINTR else {
      throw PipelineError(
        .missingInput, "The input cannot be read: \(String(cString: strerror(errno)))",
        remedy: "Check the pipe")
    }
    isAtEnd = found == 0
  }

  private mutating func append(_ range: Range<Int>, to images: inout [NewImage]) {
    line += 1
    let bytes = pending[range]
    guard bytes.contains(where: { $0 > UInt8(ascii: " ") }) else { return }
    let name = "line \(line)"
    do {
      let found = try JSONDecoder().decode(Line.self, from: Data(bytes))
      var content = found.content
      if case .location(.file(let path)) = content {
        let folder = root.map { URL(fileURLWithPath: $0, isDirectory: true) }
        content = .location(.file(URL(fileURLWithPath: path, relativeTo: folder).path))
      }
      images.append(NewImage(key: keyPrefix + (found.key ?? name), label: found.label, content: content))
    } catch {
      let what =
        "\(name) is not a valid object: \(Self.explanation(error)). See cleannet judge --help."
      images.append(NewImage(key: name, label: nil, content: .problem(what)))
    }
  }

  private static func explanation(_ error: any Error) -> String {
    switch error {
    case DecodingError.dataCorrupted(let context): context.debugDescription
    case DecodingError.typeMismatch(_, let context):
      "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
    default: "it is not JSON of this form"
    }
  }
}

extension Data {
  /// Four bytes each.
  var littleEndianFloats: [Float] {
    withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
      }
    }
  }
}
