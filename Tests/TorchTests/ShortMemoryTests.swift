import Testing

@testable import Torch

/// Computations that find too little memory.
struct ShortMemoryTests {
  /// More bytes than any machine's addresses reach.
  private static let tooMany = [1 << 46]

  @Test func aComputationThatFindsNoMemoryGivesNothing() {
    let result = ifMemorySuffices { () -> Tensor in
      let large = Tensor.zeros(Self.tooMany)
      // The next operations have nothing to compute with, and must neither trap nor crash.
      let product = large.reshaped([large.size(0), 1]).matmul(Tensor.ones([1, 3])).relu()
      product.addInPlace(Tensor.ones([7]))
      return product.topK(2).values.transposed()[0..<1]
    }
    #expect(result == nil)
  }

  @Test func memoryThatSufficesChangesNothing() {
    let result = ifMemorySuffices { Tensor([1, 2, 3] as [Float]) + 1 }
    #expect(result?.floats() == [2, 3, 4])
  }

  @Test func anAttemptEndsWithItsBody() {
    #expect(ifMemorySuffices { Tensor.zeros(Self.tooMany) } == nil)
    #expect(!isShortOfMemory)
    #expect(ifMemorySuffices { Tensor.ones([2]).sum().item } == 2)
  }

  @Test func otherMistakesStillEndTheProgram() async {
    await #expect(processExitsWith: .failure) {
      _ = ifMemorySuffices { Tensor.ones([2, 3]).matmul(Tensor.ones([2, 3])) }
    }
  }
}
