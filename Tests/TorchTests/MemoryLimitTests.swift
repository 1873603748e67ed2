import Files
import Foundation
import Testing

@testable import Torch

@Suite("Limit of memory") struct MemoryLimitTests {
  @Test("pages of mapped files leave the process and come back with what was written")
  func putAside() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { unlink(path) }
    let count = 8 << 20
    let mapped = try #require(MappedBytes(path: path, count: count))
    for place in stride(from: 0, to: count, by: 4096) { mapped.bytes[place] = UInt8(place >> 12 & 255) }
    #expect(try held(mapped) == count)
    MemoryLimit.putAside()
    #expect(try held(mapped) < count / 8)
    for place in stride(from: 0, to: count, by: 4096) {
      #expect(mapped.bytes[place] == UInt8(place >> 12 & 255))
    }
    // Memory of no file must stay.
    let own = MappedBytes(count: count)
    own.bytes[4096] = 7
    MemoryLimit.putAside()
    #expect(own.bytes[4096] == 7)
  }

  @Test("no more threads than memory has room for, and one at least")
  func threads() {
    let quarter = MemoryLimit.bytes / 4
    #expect(MemoryLimit.threads(8, each: quarter / 2) == 2)
    #expect(MemoryLimit.threads(8, each: 10 * quarter) == 1)
    #expect(MemoryLimit.threads(2, each: 1) == 2)
    #expect(MemoryLimit.total > 1 << 28 && MemoryLimit.resident > 1 << 20)
  }

  /// The resident bytes of a mapping.
  private func held(_ mapped: MappedBytes) throws -> Int {
    let start = UInt(bitPattern: mapped.bytes.baseAddress)
    let file = try #require(fopen("/proc/self/smaps", "r"))
    defer { fclose(file) }
    var lines: [String] = []
    while let line = readLine(of: file) { lines.append(line) }
    let header = try #require(
      lines.firstIndex { line in
        let ends =
          line.split(separator: " ").first?.split(separator: "-").compactMap { UInt($0, radix: 16) } ?? []
        return ends.count == 2 && (ends[0]..<ends[1]).contains(start)
      })
    let line = try #require(lines[header...].first { $0.hasPrefix("Rss:") })
    return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) }) << 10
  }

  private func readLine(of file: UnsafeMutablePointer<FILE>) -> String? {
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    guard getline(&line, &capacity, file) >= 0, let line else { return nil }
    return String(cString: line)
  }
}
