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
}
