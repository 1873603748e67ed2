/// A stream of random numbers. The same seed gives the same numbers, on any number of threads.
///
/// Sendable without a lock only to be stored; it must be used by one task at a time.
public final class Generator: @unchecked Sendable {
  private let handle: OpaquePointer

  /// A generator (Mersenne Twister) that begins at `seed`.
  public init(seed: UInt64) {
    guard let handle = Engine.functions.generator(seed) else { Engine.trap("Generator") }
    self.handle = handle
  }

  deinit { Engine.functions.generator_release(handle) }

  /// Where in its stream the generator is, as bytes that a checkpoint can keep.
  public var state: Tensor {
    get { Tensor.wrap("Generator.state", Engine.functions.generator_state(handle)) }
    set { Tensor.check("Generator.state", Engine.functions.generator_restore(handle, newValue.handle)) }
  }

  /// Uniform numbers in `[low, high)`.
  public func uniform(_ shape: [Int], low: Double = 0, high: Double = 1) -> Tensor {
    let sizes = shape.map(Int64.init)
    return Tensor.wrap("uniform", Engine.functions.uniform(sizes, sizes.count, low, high, handle))
  }

  /// Normally distributed numbers.
  public func normal(_ shape: [Int], mean: Double = 0, standardDeviation: Double = 1) -> Tensor {
    let sizes = shape.map(Int64.init)
    return Tensor.wrap("normal", Engine.functions.normal(sizes, sizes.count, mean, standardDeviation, handle))
  }

  /// `count` integers in `[0, bound)`, int64.
  public func integers(below bound: Int, count: Int) -> Tensor {
    Tensor.wrap("integers", Engine.functions.randint(Int64(bound), Int64(count), handle))
  }

  /// The integers from 0 to `count` − 1 in random order, int64.
  public func permutation(_ count: Int) -> Tensor {
    Tensor.wrap("permutation", Engine.functions.randperm(Int64(count), handle))
  }

  /// `count` indices drawn with the probabilities that the rows of `weights` give up to a factor.
  public func multinomial(_ weights: Tensor, count: Int, replacement: Bool) -> Tensor {
    Tensor.wrap(
      "multinomial", Engine.functions.multinomial(weights.handle, Int64(count), replacement, handle))
  }

  /// Sets each element to 0 with `probability` and divides the others by 1 − `probability`.
  public func dropout(_ tensor: Tensor, probability: Double) -> Tensor {
    guard probability > 0 else { return tensor }
    return Tensor.wrap("dropout", Engine.functions.dropout(tensor.handle, probability, handle))
  }
}
