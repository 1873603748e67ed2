import Dispatch
import Synchronization
import Testing

@testable import Torch

/// How many threads there are changes how long something takes, and nothing else.
@Suite("Threads") struct ThreadTests {
  @Test("the bits of products do not depend on the number of threads")
  func products() {
    let generator = Generator(seed: 3)
    let a = generator.normal([1000, 300])
    let b = generator.normal([300, 70])
    let bias = generator.normal([70])
    func results(_ threads: Int) -> [[Float]] {
      let before = Engine.threads
      Engine.threads = threads
      defer { Engine.threads = before }
      let tall = a.transposed().matmul(a)
      return [a.matmul(b), a.linear(b.transposed(), bias: bias), tall].map { $0.floats() }
    }
    let one = results(1)
    for threads in [2, 3] { #expect(results(threads) == one) }
    // Other work beside it changes nothing either.
    let others = Atomic(true)
    DispatchQueue.global().async {
      while others.load(ordering: .relaxed) { concurrently(over: 4, threads: 2, engineThreads: 1) { _ in } }
    }
    for _ in 0..<20 { #expect(results(2) == one) }
    others.store(false, ordering: .relaxed)
  }

  @Test("products in pieces are the sums that they should be")
  func pieces() {
    let a = Tensor((0..<600 * 3).map { Float($0 % 7) }, shape: [600, 3])
    let b = Tensor([1, 0, 0, 2, 1, 1] as [Float], shape: [3, 2])
    let product = a.matmul(b).floats()
    let rows = a.floats()
    for row in 0..<600 {
      let x = rows[row * 3]
      let y = rows[row * 3 + 1]
      let z = rows[row * 3 + 2]
      #expect(product[row * 2] == x + z && product[row * 2 + 1] == 2 * y + z)
    }
  }

  @Test("a worker's number of threads is its own, and gone afterwards")
  func numbers() {
    let before = Engine.threads
    let seen = Mutex<[Int]>([])
    concurrently(over: 8, threads: 2, engineThreads: 3) { _ in
      let number = Engine.threads
      seen.withLock { $0.append(number) }
    }
    #expect(seen.withLock { $0 } == Array(repeating: 3, count: 8))
    #expect(Engine.threads == before)
  }
}
