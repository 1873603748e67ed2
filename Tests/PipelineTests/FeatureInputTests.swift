import Foundation
import Testing
import Workspace

@testable import Pipeline

@Suite("Features of one's own") struct FeatureInputTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path

  init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

  private func rows(_ matrix: NpyMatrix) -> [Float] {
    var values = [Float](repeating: -1, count: matrix.count * matrix.dimension)
    values.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { matrix.copyRows(0..<matrix.count, into: base) }
    }
    return values
  }

  @Test("a compressed array is unpacked, and leaves no file")
  func compressed() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // A .npy file of float32, [4, 2], in a zip file with deflated members, as numpy.savez_compressed writes it.
    let bytes = try #require(Data(base64Encoded: Self.compressed))
    let path = "\(folder)/features.npz"
    try bytes.write(to: URL(fileURLWithPath: path))
    let matrix = try FeatureInput.open(path, in: folder)
    #expect(matrix.count == 4 && matrix.dimension == 2)
    #expect(rows(matrix) == [1.5, -2, 0, 4, 5, 6, 7, 0.25])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["features.npz"])
    var damaged = bytes
    damaged[90] ^= 0xFF
    try damaged.write(to: URL(fileURLWithPath: path))
    #expect(throws: (any Error).self) { try FeatureInput.open(path, in: folder) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["features.npz"])
  }

  @Test("a tensor of bfloat16 is widened exactly")
  func bfloat16() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let values: [Float] = [1, -2.5, 0, 3.0e38, 1e-38, .infinity]
    let header = #"{"features":{"dtype":"BF16","shape":[3,2],"data_offsets":[0,12]}}"#
    var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
    let halves = values.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) }
    for half in halves { bytes += [UInt8(half & 0xFF), UInt8(half >> 8)] }
    let path = "\(folder)/features.safetensors"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let matrix = try FeatureInput.open(path, in: folder)
    #expect(matrix.count == 3 && matrix.dimension == 2)
    #expect(rows(matrix) == halves.map { Float(bitPattern: UInt32($0) << 16) })
  }

  private static let compressed =
    "UEsDBC0AAAAIAAAAIQA9Grwm//////////8MABQAZmVhdHVyZXMubnB5AQAQAKAAAAAAAAAAXQAAAAAAAACb7BfqGxDJ"
    + "yFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RomOgpGmjoKtQpkAy4GhgP2DECC"
    + "AQwaHBgYFgDxASB+AMQNdgBQSwMEFAAAAAgANBZ5XSA1WNkHAAAABQAAAAkAAABuYW1lcy5ucHnLL8lILQIAUEsBAi0D"
    + "LQAAAAgAAAAhAD0avCZdAAAAoAAAAAwAAAAAAAAAAAAAAIABAAAAAGZlYXR1cmVzLm5weVBLAQIUAxQAAAAIADQWeV0g"
    + "NVjZBwAAAAUAAAAJAAAAAAAAAAAAAACAAZsAAABuYW1lcy5ucHlQSwUGAAAAAAIAAgBxAAAAyQAAAAAA"
}
