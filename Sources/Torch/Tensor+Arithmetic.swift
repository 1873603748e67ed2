// Arithmetic, element by element, with broadcasting.

extension Tensor {
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    wrap("+", Engine.functions.add(a.handle, b.handle))
  }
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    wrap("-", Engine.functions.subtract(a.handle, b.handle))
  }
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    wrap("*", Engine.functions.multiply(a.handle, b.handle))
  }
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    wrap("/", Engine.functions.divide(a.handle, b.handle))
  }

  public static func + (a: Tensor, b: Double) -> Tensor {
    wrap("+", Engine.functions.add_scalar(a.handle, b))
  }
  public static func - (a: Tensor, b: Double) -> Tensor {
    wrap("-", Engine.functions.add_scalar(a.handle, -b))
  }
  public static func * (a: Tensor, b: Double) -> Tensor {
    wrap("*", Engine.functions.multiply_scalar(a.handle, b))
  }
  public static func / (a: Tensor, b: Double) -> Tensor {
    wrap("/", Engine.functions.multiply_scalar(a.handle, 1 / b))
  }
  public static func + (a: Double, b: Tensor) -> Tensor { b + a }
  public static func - (a: Double, b: Tensor) -> Tensor { -b + a }
  public static func * (a: Double, b: Tensor) -> Tensor { b * a }
  public static prefix func - (a: Tensor) -> Tensor { wrap("-", Engine.functions.negate(a.handle)) }

  /// `self` to the power of `exponent`.
  public func pow(_ exponent: Double) -> Tensor {
    Tensor.wrap("pow", Engine.functions.power_scalar(handle, exponent))
  }

  /// `self` to the power of `exponent`, element by element.
  public func pow(_ exponent: Tensor) -> Tensor {
    Tensor.wrap("pow", Engine.functions.power(handle, exponent.handle))
  }

  /// The larger of the two.
  public func maximum(_ other: Tensor) -> Tensor {
    Tensor.wrap("maximum", Engine.functions.maximum(handle, other.handle))
  }

  /// The smaller of the two.
  public func minimum(_ other: Tensor) -> Tensor {
    Tensor.wrap("minimum", Engine.functions.minimum(handle, other.handle))
  }

  /// Values below `low` become `low`, values above `high` become `high`.
  public func clamped(min low: Double? = nil, max high: Double? = nil) -> Tensor {
    var result = self
    if let low { result = Tensor.wrap("clamp", Engine.functions.clamp_min(result.handle, low)) }
    if let high { result = Tensor.wrap("clamp", Engine.functions.clamp_max(result.handle, high)) }
    return result
  }

  /// e to the power of each element.
  public func exp() -> Tensor { Tensor.wrap("exp", Engine.functions.exp(handle)) }

  /// The natural logarithm.
  public func log() -> Tensor { Tensor.wrap("log", Engine.functions.log(handle)) }

  /// log(1 + x), exact near 0.
  public func log1p() -> Tensor { Tensor.wrap("log1p", Engine.functions.log1p(handle)) }

  /// The square root.
  public func squareRoot() -> Tensor { Tensor.wrap("squareRoot", Engine.functions.sqrt(handle)) }

  /// 1 / √x.
  public func reciprocalSquareRoot() -> Tensor {
    Tensor.wrap("reciprocalSquareRoot", Engine.functions.rsqrt(handle))
  }

  /// 1 / x.
  public func reciprocal() -> Tensor { Tensor.wrap("reciprocal", Engine.functions.reciprocal(handle)) }

  /// The absolute value.
  public func absolute() -> Tensor { Tensor.wrap("absolute", Engine.functions.abs(handle)) }

  /// −1, 0 or 1.
  public func sign() -> Tensor { Tensor.wrap("sign", Engine.functions.sign(handle)) }

  /// x².
  public func squared() -> Tensor { Tensor.wrap("squared", Engine.functions.square(handle)) }

  /// The largest integer not above x.
  public func floor() -> Tensor { Tensor.wrap("floor", Engine.functions.floor(handle)) }

  /// The hyperbolic tangent.
  public func tanh() -> Tensor { Tensor.wrap("tanh", Engine.functions.tanh(handle)) }

  /// max(0, x).
  public func relu() -> Tensor { Tensor.wrap("relu", Engine.functions.relu(handle)) }

  /// min(6, max(0, x)).
  package func relu6() -> Tensor { Tensor.wrap("relu6", Engine.functions.relu6(handle)) }

  /// 1 / (1 + exp(−x)).
  public func sigmoid() -> Tensor { Tensor.wrap("sigmoid", Engine.functions.sigmoid(handle)) }

  /// log(1 + exp(x)).
  public func softplus() -> Tensor { Tensor.wrap("softplus", Engine.functions.softplus(handle)) }

  /// Whether each element is not a number.
  public func isNaN() -> Tensor { Tensor.wrap("isNaN", Engine.functions.isnan(handle)) }

  /// Whether each element is a finite number.
  public func isFinite() -> Tensor { Tensor.wrap("isFinite", Engine.functions.isfinite(handle)) }

  // MARK: Comparison

  public static func .== (a: Tensor, b: Tensor) -> Tensor {
    wrap("==", Engine.functions.equal(a.handle, b.handle))
  }
  public static func .!= (a: Tensor, b: Tensor) -> Tensor {
    wrap("!=", Engine.functions.not_equal(a.handle, b.handle))
  }
  public static func .< (a: Tensor, b: Tensor) -> Tensor {
    wrap("<", Engine.functions.less(a.handle, b.handle))
  }
  public static func .<= (a: Tensor, b: Tensor) -> Tensor {
    wrap("<=", Engine.functions.less_equal(a.handle, b.handle))
  }
  public static func .> (a: Tensor, b: Tensor) -> Tensor {
    wrap(">", Engine.functions.greater(a.handle, b.handle))
  }
  public static func .>= (a: Tensor, b: Tensor) -> Tensor {
    wrap(">=", Engine.functions.greater_equal(a.handle, b.handle))
  }
  public static func .== (a: Tensor, b: Double) -> Tensor {
    wrap("==", Engine.functions.equal_scalar(a.handle, b))
  }
  public static func .< (a: Tensor, b: Double) -> Tensor {
    wrap("<", Engine.functions.less_scalar(a.handle, b))
  }
  public static func .> (a: Tensor, b: Double) -> Tensor {
    wrap(">", Engine.functions.greater_scalar(a.handle, b))
  }
  public static func .>= (a: Tensor, b: Double) -> Tensor {
    wrap(">=", Engine.functions.greater_equal_scalar(a.handle, b))
  }
  public static func .& (a: Tensor, b: Tensor) -> Tensor {
    wrap("&", Engine.functions.logical_and(a.handle, b.handle))
  }
  public static func .| (a: Tensor, b: Tensor) -> Tensor {
    wrap("|", Engine.functions.logical_or(a.handle, b.handle))
  }
  public static prefix func .! (a: Tensor) -> Tensor { wrap("!", Engine.functions.logical_not(a.handle)) }

  /// `a` where `self` holds, else `b`.
  public func select(_ a: Tensor, else b: Tensor) -> Tensor {
    Tensor.wrap("select", Engine.functions.where(handle, a.handle, b.handle))
  }

  /// `value` where `mask` holds, else `self`.
  public func masked(_ mask: Tensor, with value: Double) -> Tensor {
    Tensor.wrap("masked", Engine.functions.masked_fill(handle, mask.handle, value))
  }

  // MARK: In place, outside the graph

  /// Copies the elements of `source`.
  public func copyInPlace(_ source: Tensor) {
    Tensor.check("copy", Engine.functions.copy_in(handle, source.handle))
  }

  /// Adds `scale · other`.
  public func addInPlace(_ other: Tensor, scale: Double = 1) {
    Tensor.check("add", Engine.functions.add_in(handle, other.handle, scale))
  }

  /// Multiplies by `factor`.
  public func multiplyInPlace(_ factor: Double) {
    Tensor.check("multiply", Engine.functions.multiply_in(handle, factor))
  }

  /// Sets every element to `value`.
  public func fillInPlace(_ value: Double) { Tensor.check("fill", Engine.functions.fill_in(handle, value)) }

  /// Rows (along `dim`) number `index` gain the rows of `source`.
  public func indexAddInPlace(dim: Int, index: Tensor, _ source: Tensor) {
    Tensor.check("indexAdd", Engine.functions.index_add_in(handle, Int64(dim), index.handle, source.handle))
  }

  /// Rows (along `dim`) number `index` become the rows of `source`.
  public func indexCopyInPlace(dim: Int, index: Tensor, _ source: Tensor) {
    Tensor.check("indexCopy", Engine.functions.index_copy_in(handle, Int64(dim), index.handle, source.handle))
  }

  /// Applies ReLU6 for inference: without new memory, without a trace. Of bfloat16 elements none may be NaN.
  package func relu6InPlace() -> Tensor {
    Tensor.check("relu6", Engine.functions.relu6_in(handle))
    return self
  }

  /// Applies ReLU for inference: without new memory, without a trace. Of bfloat16 elements none may be NaN.
  package func reluInPlace() -> Tensor {
    Tensor.check("relu", Engine.functions.relu_in(handle))
    return self
  }
}

infix operator .& : LogicalConjunctionPrecedence
infix operator .| : LogicalDisjunctionPrecedence
prefix operator .!
