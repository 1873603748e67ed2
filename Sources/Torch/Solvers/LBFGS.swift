/// Minimizes a smooth function by limited-memory quasi-Newton steps (Nocedal 1980), asking for one evaluation at a time.
///
/// The caller evaluates the function at ``point`` and hands value and gradient to ``advance(value:gradient:)``, so that
/// several problems can share one pass over the data. The line search brackets a point that satisfies the weak Wolfe
/// conditions (Lewis & Overton 2013). All in float64.
///
/// A good guess of the inverse Hessian makes the search many times shorter: `precondition` applies it to a vector, and
/// takes the place that a multiple of the identity has otherwise.
struct LBFGS {
  /// Where the function is to be evaluated next, `[P]`.
  private(set) var point: Tensor
  /// Whether the search is over; ``best`` is then the answer.
  private(set) var isDone = false
  /// The best point so far, `[P]`.
  private(set) var best: Tensor
  private(set) var iterations = 0

  /// Over when no element of the gradient is larger than this.
  let tolerance: Double
  let maximumIterations: Int
  /// `[P]` → `[P]`, linear, symmetric and positive.
  let precondition: @Sendable (Tensor) -> Tensor

  /// Pairs of steps and gradient changes that are remembered.
  private static let memory = 10
  private static let sufficientDecrease = 1e-4
  private static let curvature = 0.9
  private static let maximumTrials = 30

  private var value = Double.infinity
  private var gradient: Tensor
  private var direction: Tensor
  private var slope = 0.0
  private var pairs: [(step: Tensor, change: Tensor, product: Double)] = []
  /// The factor on the preconditioner, so that it fits the latest pair.
  private var scale = 1.0
  private var low = 0.0
  private var high = Double.infinity
  private var rate = 1.0
  private var trials = 0

  init(
    start: Tensor, tolerance: Double, maximumIterations: Int,
    precondition: @escaping @Sendable (Tensor) -> Tensor = { $0 }
  ) {
    self.precondition = precondition
    self.tolerance = tolerance
    self.maximumIterations = maximumIterations
    point = start.to(.float64)
    best = point
    gradient = .zeros(point.shape, dtype: .float64)
    direction = gradient
  }

  /// Takes the function's value and gradient `[P]`, float64, at ``point``.
  mutating func advance(value newValue: Double, gradient newGradient: Tensor) {
    guard value.isFinite else { return accept(newValue, newGradient) }
    trials += 1
    let newSlope = (newGradient * direction).sum().item
    if !(newValue <= value + Self.sufficientDecrease * rate * slope) {
      high = rate
    } else if newSlope < Self.curvature * slope {
      low = rate
    } else {
      return accept(newValue, newGradient)
    }
    guard trials < Self.maximumTrials else {
      // Rounding leaves nothing to gain along this direction.
      isDone = true
      return
    }
    rate = high.isFinite ? (low + high) / 2 : 2 * rate
    point = best + direction * rate
  }

  private mutating func accept(_ newValue: Double, _ newGradient: Tensor) {
    if value.isFinite {
      iterations += 1
      let step = point - best
      let change = newGradient - gradient
      let product = (step * change).sum().item
      if product > 1e-300 {
        scale = product / (change * precondition(change)).sum().item
        pairs.append((step, change, product))
        if pairs.count > Self.memory { pairs.removeFirst() }
      }
    }
    best = point
    value = newValue
    gradient = newGradient
    guard gradient.absolute().amax(dim: 0).item > tolerance, iterations < maximumIterations else {
      isDone = true
      return
    }
    direction = descent()
    slope = (direction * gradient).sum().item
    low = 0
    high = .infinity
    trials = 0
    rate = 1
    point = best + direction * rate
  }

  /// The two-loop recursion.
  private func descent() -> Tensor {
    var q = gradient
    var factors: [Double] = []
    for pair in pairs.reversed() {
      let factor = (pair.step * q).sum().item / pair.product
      q = q - pair.change * factor
      factors.append(factor)
    }
    q = precondition(q) * scale
    for (pair, factor) in zip(pairs, factors.reversed()) {
      q = q + pair.step * (factor - (pair.change * q).sum().item / pair.product)
    }
    return -q
  }
}
