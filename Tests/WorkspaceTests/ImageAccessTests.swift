import Datasets
import Foundation
import Images
import Testing

@testable import Workspace

/// Thumbnails of one picture, 6×4 and red above blue, from all places where a workspace's images lie.
@Suite struct ImageAccessTests {
  private static let width = 6
  private static let height = 4
  /// `[height, width, 3]`
  private static let interleaved: [UInt8] = (0..<height).flatMap { row -> [UInt8] in
    (0..<width).flatMap { _ -> [UInt8] in row < height / 2 ? [200, 20, 20] : [20, 20, 200] }
  }

  private func thumbnail(_ location: ImageLocation) throws -> [UInt8] {
    let sample = StoredSample(
      id: 0, key: "a", path: "a", location: location, label: 0, split: "train", attributes: [])
    return try ImageAccess().thumbnail(of: sample, maximumSide: 100)
  }

  private func expected(_ pixels: [UInt8], bands: Int) throws -> [UInt8] {
    try thumbnailJPEG(
      .pixels(RawPixels(width: Self.width, height: Self.height, bands: bands, bytes: pixels[...])),
      maximumSide: 100)
  }

  private func write(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(bytes).write(to: file)
    try body(file.path)
  }

  @Test func planesOfAFile() throws {
    let planes = (0..<3).flatMap { plane in
      stride(from: plane, to: Self.interleaved.count, by: 3).map { Self.interleaved[$0] }
    }
    try write([9, 9] + planes) { file in
      let location = ImageLocation.planes(file: file, offset: 2, width: Self.width, height: Self.height)
      let jpeg = try thumbnail(location)
      #expect(try expected(Self.interleaved, bands: 3) == jpeg)
    }
  }

  @Test func imagesOfAnIDXFile() throws {
    let second = (0..<UInt8(Self.width * Self.height)).map { $0 * 10 }
    let header: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, UInt8(Self.height), 0, 0, 0, UInt8(Self.width)]
    try write(header + [UInt8](repeating: 0, count: second.count) + second) { file in
      let jpeg = try thumbnail(.idx(file: file, index: 1))
      #expect(try expected(second, bands: 1) == jpeg)
      #expect(throws: ImageProblem.self) { try thumbnail(.idx(file: file, index: 2)) }
    }
  }

  @Test func filesAndMembersOfArchives() throws {
    let jpeg = try expected(Self.interleaved, bands: 3)
    try write([1, 2, 3] + jpeg) { archive in
      let member = ImageLocation.archiveMember(archive: archive, offset: 3, length: Int64(jpeg.count))
      try write(jpeg) { file in
        let alone = try thumbnail(.file(file))
        #expect(try thumbnail(member) == alone)
      }
    }
  }

  @Test func aSampleWithoutAnImageIsMissing() throws {
    let problem = #expect(throws: ImageProblem.self) { try thumbnail(.none) }
    #expect(problem?.kind == .missing)
  }
}
