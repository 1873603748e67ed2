import Foundation
import Testing

@testable import Review

@Suite struct ThumbnailCacheTests {
  @Test func isBoundedAndForgetsTheOldest() throws {
    let fixture = try ReviewFixture(count: 40)
    let samples = try fixture.workspace.samples(0..<40)
    let folder = fixture.folder.appendingPathComponent("thumbnails").path
    let one = try ThumbnailCache(folder: folder, limit: .max).jpeg(of: samples[0], side: 256).count
    let limit = one * 20
    let cache = ThumbnailCache(folder: folder, limit: limit)
    for sample in samples { _ = try cache.jpeg(of: sample, side: 256) }
    func bytes() throws -> Int {
      try FileManager.default.subpathsOfDirectory(atPath: folder).reduce(0) { sum, name in
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
        return sum
          + (attributes[.type] as? FileAttributeType == .typeRegular ? attributes[.size] as? Int ?? 0 : 0)
      }
    }
    #expect(try bytes() <= limit)
    #expect(cache.isKept(samples[39], side: 256) && !cache.isKept(samples[0], side: 256))
    // A removed file is made again.
    #expect(try cache.jpeg(of: samples[0], side: 256).count == one)
  }

  @Test func comesFromTheDiskUntilTheFileIsAnother() throws {
    let fixture = try ReviewFixture(count: 2)
    let sample = try #require(try fixture.workspace.sample(1))
    let folder = fixture.folder.appendingPathComponent("thumbnails").path
    let file = fixture.folder.appendingPathComponent("1.jpg")
    let bytes = try Data(contentsOf: file)
    func write(_ data: Data, at seconds: Double) throws {
      try data.write(to: file)
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: file.path)
    }
    func jpeg() throws -> [UInt8] {
      try ThumbnailCache(folder: folder, limit: 1 << 20).jpeg(of: sample, side: 256)
    }
    try write(bytes, at: 1_700_000_000)
    let first = try jpeg()
    // As long and as old, so that it is not read again.
    try write(Data(repeating: 7, count: bytes.count), at: 1_700_000_000)
    #expect(try jpeg() == first)
    try write(Data(contentsOf: fixture.folder.appendingPathComponent("0.jpg")), at: 1_700_000_001)
    #expect(try jpeg() != first)
  }
}
