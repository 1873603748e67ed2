import Foundation
import FuzzTargets
import Testing

/// Every parser of bytes from outside holds for its seeds, for what was once found, and for both with small damages.
///
/// `Scripts/fuzz` finds new inputs; inputs that led to a fault lie in `Seeds` since.
struct SeedTests {
  private static let seeds = Bundle.module.resourceURL?.appendingPathComponent("Seeds")

  @Test func everyTargetHasSeeds() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: try #require(Self.seeds).path)
    #expect(folders.filter { !$0.hasPrefix(".") }.sorted() == FuzzTarget.all.map(\.name))
  }

  @Test(arguments: FuzzTarget.all) func parsersHold(_ target: FuzzTarget) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let seeds = try #require(Self.seeds).appendingPathComponent(target.name)
    let names = try FileManager.default.contentsOfDirectory(atPath: seeds.path).sorted()
    #expect(!names.isEmpty)
    // A parser may wait for tasks, so it must not hold one of the few threads that all tests share.
    try await onThread {
      let parse = try target.parser(in: folder.path)
      var random = Damage()
      for name in names {
        let seed = Array(try Data(contentsOf: seeds.appendingPathComponent(name)))
        seed.withUnsafeBytes(parse)
        for _ in 0..<40 { random.damaged(seed).withUnsafeBytes(parse) }
      }
    }
  }

  private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
  }
}

/// Damages bytes as libFuzzer does, the same way each time.
private struct Damage {
  private var state: UInt64 = 1

  private mutating func next(below bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % max(1, bound)
  }

  /// Values at which arithmetic goes wrong.
  private static let edges: [[UInt8]] = [
    [0], [0xFF], [0x7F], [0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0x7F], Array(repeating: 0xFF, count: 8),
    [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], Array("9223372036854775807".utf8), Array("-1".utf8),
    Array("1e999".utf8), Array("\"".utf8), Array("\n".utf8), Array("[[[[".utf8),
  ]

  mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...next(below: 3) {
      let place = next(below: bytes.count)
      switch next(below: 5) {
      case 0 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8(next(below: 8))
      case 1: bytes.removeLast(bytes.count - place)
      case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + next(below: 8)))
      case 3: bytes.insert(contentsOf: Self.edges[next(below: Self.edges.count)], at: place)
      default:
        let edge = Self.edges[next(below: Self.edges.count)]
        bytes.replaceSubrange(place..<min(bytes.count, place + edge.count), with: edge)
      }
    }
    return bytes
  }
}
