import Foundation

/// An IDX file (LeCun's format of MNIST): a big-endian header, then unsigned bytes. Gzipped files are read whole.
package struct IDXFile: Sendable {
  package let path: String
  /// Sizes, outermost first: `[images, height, width]`, or `[labels]`.
  package let shape: [Int]
  /// The values in C order.
  package let bytes: [UInt8]

  /// The largest file that is read, unpacked.
  static let maximumBytes = 8 << 30

  /// - Throws: `DatasetProblems` if it is not an IDX file of unsigned bytes or its length is not what its header says.
  package init(path: String) throws(DatasetProblems) {
    func problem(_ what: String) -> DatasetProblems {
      DatasetProblems(
        DatasetProblem(file: path, what: what, remedy: "Download it again, or import the images another way"))
    }
    let file = try InputFile(path: path)
    let header = try Self.take(4, from: file)
    guard header.count == 4, header[0] == 0, header[1] == 0, header[2] == 0x08, (1...4).contains(header[3])
    else {
      throw problem("is not an IDX file of unsigned bytes")
    }
    let sizes = try Self.take(4 * Int(header[3]), from: file)
    guard sizes.count == 4 * Int(header[3]) else { throw problem("ends within its header") }
    shape = stride(from: 0, to: sizes.count, by: 4).map { start in
      sizes[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
    }
    var total = 1
    for size in shape {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      guard !overflow, product <= Self.maximumBytes else { throw problem("claims to hold \(shape) bytes") }
      total = product
    }
    bytes = try Self.take(total, from: file)
    guard bytes.count == total else {
      throw problem("holds \(bytes.count) of the \(total) bytes that its header announces")
    }
    guard try Self.take(1, from: file).isEmpty else { throw problem("is longer than its header announces") }
    self.path = path
  }

  /// Up to `count` bytes; the array grows as the file delivers, so that a false header costs no memory.
  private static func take(_ count: Int, from file: InputFile) throws(DatasetProblems) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let wanted = min(count - bytes.count, 4 << 20)
      var chunk = [UInt8](repeating: 0, count: wanted)
      let got = try chunk.withUnsafeMutableBufferPointer { buffer throws(DatasetProblems) -> Int in
        guard let base = buffer.baseAddress else { return 0 }
        return try file.read(into: base, count: wanted)
      }
      if got == 0 { break }
      bytes.append(contentsOf: chunk[..<got])
    }
    return bytes
  }
}
