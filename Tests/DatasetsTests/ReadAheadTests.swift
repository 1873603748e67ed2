import Foundation
import Testing

@testable import Datasets

@Suite("Reading ahead") struct ReadAheadTests {
  private struct Enough: Error {}

  private func dataset(_ rows: Int, in folder: TemporaryFolder, last: String = "") throws -> Dataset {
    let lines = (0..<rows).map { "k\($0),1.jpg,c\($0 % 7)\n" }
    try folder.write("1.jpg")
    let path = try folder.write("a.csv", "key,path,label\n" + lines.joined() + last)
    return try DatasetReader.open(source: path, options: DatasetOptions())
  }

  @Test("the same samples come in the same order, and the same summary", arguments: [1, 256, 257, 10_000])
  func same(rows: Int) throws {
    let folder = try TemporaryFolder()
    let dataset = try dataset(rows, in: folder)
    var plain = [Sample]()
    var ahead = [Sample]()
    let first = try dataset.read { plain.append($0) }
    let second = try dataset.readAhead { ahead.append($0) }
    #expect(plain.count == rows && plain == ahead)
    #expect(first.samples == second.samples && first.notices == second.notices)
  }

  @Test("the reader may stop at any moment, however much is left")
  func cancelled() throws {
    let folder = try TemporaryFolder()
    let dataset = try dataset(20_000, in: folder)
    var count = 0
    #expect(throws: Enough.self) {
      try dataset.readAhead { _ in
        count += 1
        if count == 300 { throw Enough() }
      }
    }
    #expect(count == 300)
  }

  @Test("bad rows are named after all samples before them have come")
  func bad() throws {
    let folder = try TemporaryFolder()
    let dataset = try dataset(1000, in: folder, last: "k1000,1.jpg,\"open\n")
    var count = 0
    #expect(throws: DatasetProblems.self) { try dataset.readAhead { _ in count += 1 } }
    #expect(count == 1000)
  }
}
