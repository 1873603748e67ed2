import Testing
import Torch

@Suite struct TensorTests {
  @Test func elementsGoInAndOutInCOrder() {
    let tensor = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    #expect(tensor.shape == [2, 3])
    #expect(tensor.transposed().floats() == [1, 4, 2, 5, 3, 6])
    #expect(tensor[1].ints() == [4, 5, 6])
    #expect(Tensor([Float](), shape: [0, 3]).floats() == [])
  }

  @Test func gradientOfAProduct() {
    let x = Tensor([1, 2, 3] as [Float])
    x.requiresGradient = true
    (x * x).sum().backward()
    #expect(x.gradient?.floats() == [2, 4, 6])
  }

  /// A plain product's last bits depend on where a row lies and on how many there are.
  @Test func aRowsProductDoesNotDependOnTheOthers() {
    let generator = Generator(seed: 0)
    let (rows, matrix) = (generator.normal([300, 700]), generator.normal([700, 24]))
    let together = rows.batchInvariantMatmul(matrix)
    for range in [0..<1, 299..<300, 13..<17, 50..<250] {
      #expect(rows[range].batchInvariantMatmul(matrix).floats() == together[range].floats())
    }
    let difference = (together - rows.matmul(matrix)).absolute().floats().max() ?? 1
    #expect(difference < 1e-3)
  }
}
