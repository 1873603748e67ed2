import CTorch
import Testing

@testable import Torch

@Suite struct EngineTableTests {
  /// The program would call other functions in the places of the functions that it means.
  @Test("a table of another version or size is refused")
  func versions() {
    func fits(_ version: UInt32, _ size: Int) -> Bool {
      [version, UInt32(size)].withUnsafeBytes { words in
        words.baseAddress.map { ctorch_table_fits($0) } ?? false
      }
    }
    let version = UInt32(CTORCH_TABLE_VERSION)
    #expect(fits(version, MemoryLayout<CTorchEngine>.size))
    #expect(!fits(version + 1, MemoryLayout<CTorchEngine>.size))
    #expect(!fits(version, MemoryLayout<CTorchEngine>.size - 8))
    #expect(EngineError.otherVersion(path: "/x.so").description.contains("build-engine"))
  }

  @Test("questions about a tensor come back with an answer, whatever libtorch throws")
  func facts() {
    let functions = Engine.functions
    let tensor = Tensor.zeros([2, 3])
    #expect(functions.size(tensor.handle, 7) == -1)
    #expect(String(cString: functions.last_error()).contains("Dimension out of range"))
    #expect(tensor.device == .cpu && tensor.to(.cpu) === tensor)
    #expect(Device.gpuCount >= 0 && Device.cpu.freeMemory == nil)
  }

  @Test("layer norm, GELU and attention by their formulas")
  func transformers() {
    let x = Tensor([1.0, 2, 3, 6].map { Float($0) }, shape: [1, 4])
    let normed = x.layerNorm(weight: .ones([4]), bias: .zeros([4]), epsilon: 0).doubles()
    // Mean 3, variance (4 + 1 + 0 + 9) / 4.
    for (found, value) in zip(normed, [-2.0, -1, 0, 3]) {
      #expect(abs(found - value / 3.5.squareRoot()) < 1e-6)
    }
    // x Φ(x) at 1 and −1.
    let gelu = Tensor([1, -1] as [Float]).gelu().doubles()
    #expect(abs(gelu[0] - 0.841344746) < 1e-6 && abs(gelu[1] + 0.158655254) < 1e-6)
    #expect(abs(Tensor([1] as [Float]).gelu(tanh: true).item - 0.841191990) < 1e-6)
    // One query of width 1 at two keys, scores 0 and ln 3: weights ¼ and ¾.
    let q = Tensor([1] as [Float], shape: [1, 1, 1, 1])
    let k = Tensor([0, 1.0986123] as [Float], shape: [1, 1, 2, 1])
    let v = Tensor([4, 8] as [Float], shape: [1, 1, 2, 1])
    #expect(abs(q.attention(keys: k, values: v).item - 7) < 1e-5)
  }
}
