/// The initial weights of Glorot & Bengio (2010): uniform in ± gain · √(6 / (fan in + fan out)).
///
/// - Parameter shape: `[O, I]` of a linear layer or `[O, I, h, w]` of a convolution.
package func xavierUniform(_ shape: [Int], gain: Double = 1, generator: Generator) -> Tensor {
  let field = shape.dropFirst(2).reduce(1, *)
  let bound = gain * (6 / Double((shape[0] + shape[1]) * field)).squareRoot()
  return generator.uniform(shape, low: -bound, high: bound)
}

/// Something with named parameters that an optimizer changes and a checkpoint keeps.
public protocol Parameterized {
  /// Every parameter by its name in a checkpoint, in a fixed order.
  var parameters: [(name: String, tensor: Tensor)] { get }
}

extension Parameterized {
  /// Makes every parameter collect gradients, or stop doing so.
  public func requireGradients(_ required: Bool = true) {
    for parameter in parameters { parameter.tensor.requiresGradient = required }
  }

  /// Copies the values of `tensors` by name.
  ///
  /// - Throws: ``ParameterError`` when a name is missing or a shape differs.
  public func restore(_ tensors: [String: Tensor]) throws(ParameterError) {
    for (name, tensor) in parameters {
      guard let source = tensors[name] else { throw .missing(name) }
      guard source.shape == tensor.shape else {
        throw .shape(name, found: source.shape, expected: tensor.shape)
      }
      tensor.copyInPlace(source)
    }
  }
}

/// Why stored parameters do not fit a network.
public enum ParameterError: Error, Sendable, Equatable, CustomStringConvertible {
  case missing(String)
  case shape(String, found: [Int], expected: [Int])

  public var description: String {
    switch self {
    case .missing(let name): "The weights lack the tensor \(name)."
    case .shape(let name, let found, let expected):
      "The weights' tensor \(name) has the shape \(found), but the network needs \(expected)."
    }
  }
}

/// The affine map `x · Wᵀ + b`: `[…, I]` → `[…, O]`. Initial weights: ``xavierUniform(_:gain:generator:)``, bias 0.
///
/// ```swift
/// let layer = Linear(1280, 256, generator: Generator(seed: 0))
/// let hidden = layer(features).tanh()
/// ```
package struct Linear: Parameterized, Sendable {
  /// `[O, I]`
  package let weight: Tensor
  /// `[O]`
  package let bias: Tensor

  package init(_ inputs: Int, _ outputs: Int, generator: Generator) {
    weight = xavierUniform([outputs, inputs], generator: generator)
    bias = .zeros([outputs])
  }

  package init(weight: Tensor, bias: Tensor) {
    self.weight = weight
    self.bias = bias
  }

  package func callAsFunction(_ input: Tensor) -> Tensor { input.linear(weight, bias: bias) }

  /// The same map computed in bfloat16 from float32 weights: inputs and weights are rounded, the sums are not. For
  /// wide layers on machines with bf16 units this is about twice as fast, in both directions.
  package func bfloat16(_ input: Tensor) -> Tensor {
    input.to(.bfloat16).linear(weight.to(.bfloat16), bias: bias.to(.bfloat16)).to(.float32)
  }

  /// Either of these maps, the same for rows in batches of any size (``Tensor/batchInvariantMatmul(_:)``).
  package func batchInvariant(_ input: Tensor, bfloat16: Bool = false) -> Tensor {
    func rounded(_ tensor: Tensor) -> Tensor { bfloat16 ? tensor.to(.bfloat16).to(.float32) : tensor }
    return rounded(input).batchInvariantMatmul(rounded(weight).transposed()) + bias
  }

  package var parameters: [(name: String, tensor: Tensor)] { [("weight", weight), ("bias", bias)] }
}

extension Array where Element == (name: String, tensor: Tensor) {
  /// The same parameters under `prefix.`.
  package func prefixed(_ prefix: String) -> Self {
    map { (name: "\(prefix).\($0.name)", tensor: $0.tensor) }
  }
}
