import Testing
import Torch

@Suite struct ActivationTests {
  /// Every bfloat16 number, infinities included, but for NaN.
  private func allNumbers() -> Tensor {
    let patterns = (0...UInt16.max).filter { $0 & 0x7FFF <= 0x7F80 }
    return patterns.withUnsafeBytes { Tensor(copying: $0, shape: [patterns.count], dtype: .bfloat16) }
  }

  @Test func bfloat16InPlaceAgreesWithFloat32() {
    let wide = allNumbers().to(.float32)
    #expect(allNumbers().relu6InPlace().floats() == wide.relu6().floats())
    #expect(allNumbers().reluInPlace().floats() == wide.relu().floats())
  }

  @Test func float32InPlace() {
    let values: [Float] = [-.infinity, -1, 0, 0.5, 6, 7, .infinity]
    #expect(Tensor(values).relu6InPlace().floats() == [0, 0, 0, 0.5, 6, 6, 6])
    #expect(Tensor(values).reluInPlace().floats() == [0, 0, 0, 0.5, 6, 7, .infinity])
  }
}
