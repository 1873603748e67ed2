import Foundation
import Testing
import Torch

/// Whatever happens to a file, reading it ends in a checkpoint or a `CheckpointError`, never in a trap.
@Suite("Damaged files")
struct DamageTests {
  static let files = [
    "types.zip.pt", "types.legacy.pth", "training.zip.pt", "training.legacy.pth", "nested.protocol4.pt",
    "nested.protocol4.pth", "expected.safetensors",
  ]

  /// Reads, and touches every element that the result claims to have; tells whether reading went well.
  private func survives(_ bytes: Data) -> Bool {
    do throws(CheckpointError) {
      let checkpoint = try Checkpoint.read(bytes: bytes, name: "damaged")
      for (_, tensor) in checkpoint.tensors {
        // Changed dtypes and bytes may make a number that float32 cannot hold.
        _ = try? tensor.floats()
      }
      return true
    } catch {
      return false
    }
  }

  @Test("cut short anywhere, it is refused", arguments: files)
  func truncation(file: String) throws {
    let bytes = try Fixtures.data(file)
    #expect(survives(bytes))
    for count in 0..<bytes.count { #expect(!survives(bytes.prefix(count)), "\(count) bytes") }
  }

  @Test("a program's own files are read as they were written, or not at all")
  func sealed() throws {
    try Fixtures.withTemporaryFolder { folder in
      let path = "\(folder)/state.safetensors"
      var state = Checkpoint(metadata: ["step": "3", "a": ""])
      state.tensors.append(StoredTensor([1, 2.5], shape: [2]), named: "weight")
      state.tensors.append(StoredTensor([4], shape: [1, 1]), named: "bias")
      #expect(Checkpoint.readSealed(path: path) == nil)
      try state.writeSealed(to: path)
      let read = try #require(Checkpoint.readSealed(path: path))
      #expect(read.metadata == state.metadata && read["weight"] == state["weight"])
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      for bit in 0..<(8 * whole.count) {
        var bytes = whole
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        try bytes.write(to: URL(fileURLWithPath: path))
        // A bit of the padding changes nothing.
        guard let read = Checkpoint.readSealed(path: path) else { continue }
        #expect(read["weight"] == state["weight"] && read["bias"] == state["bias"])
        #expect(read.metadata == state.metadata)
      }
    }
  }

  @Test("with any byte changed, it is read or refused", arguments: files)
  func changedBytes(file: String) throws {
    let bytes = try Fixtures.data(file)
    var generator = SplitMix64(seed: 1)
    var outcomes: Set<Bool> = []
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= UInt8.random(in: 1...255, using: &generator)
      outcomes.insert(survives(damaged))
    }
    #expect(outcomes == [true, false])
  }

  @Test("with stretches overwritten, moved or doubled, it is read or refused", arguments: files)
  func scrambled(file: String) throws {
    let bytes = try Fixtures.data(file)
    var generator = SplitMix64(seed: 2)
    var refused = 0
    for _ in 0..<300 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let start = Int.random(in: 0..<damaged.count, using: &generator)
        let end = min(damaged.count, start + Int.random(in: 1...12, using: &generator))
        let place = Int.random(in: 0..<damaged.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: for index in start..<end { damaged[index] = .random(in: 0...255, using: &generator) }
        case 1: damaged.insert(contentsOf: Data(damaged[start..<end]), at: place)
        default: damaged.removeSubrange(start..<max(start, end - 1))
        }
      }
      if !survives(damaged) { refused += 1 }
    }
    #expect(refused > 0)
  }

  @Test("random instructions after a good beginning are read or refused")
  func randomPickles() {
    let opcodes: [UInt8] =
      Array("NKM}])taesRbQqh.(".utf8) + [0x88, 0x8A, 0x8C, 0x85, 0x86, 0x87, 0x93, 0x94, 0, 1, 2]
    var generator = SplitMix64(seed: 3)
    var read = 0
    for _ in 0..<5_000 {
      let count = Int.random(in: 1...24, using: &generator)
      let pickle = (0..<count).map { _ in opcodes.randomElement(using: &generator) ?? 0 }
      if survives(LegacyFile.bytes(object: [0x80, 2] + pickle + [0x2E])) { read += 1 }
    }
    // None of them can name a storage, so none holds a tensor.
    #expect(read == 0)
  }
}
