import Testing

@testable import Torch

@Suite struct LBFGSTests {
  @Test func quasiNewtonStepsReachTheMinimumOfACurvedValley() {
    // Rosenbrock's function; minimum 0 at (1, 1).
    var search = LBFGS(
      start: Tensor([-1.2, 1] as [Double]), tolerance: 1e-8, maximumIterations: 200)
    while !search.isDone {
      let x = search.point.doubles()[0]
      let y = search.point.doubles()[1]
      let gradient = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
      search.advance(value: (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x), gradient: Tensor(gradient))
    }
    #expect(search.best.doubles().allSatisfy { abs($0 - 1) < 1e-6 })
  }
}
