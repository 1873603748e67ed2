// Operations of transformers.

extension Tensor {
  /// Each vector of the last dimension, centered, divided by its deviation, then scaled and shifted.
  ///
  /// - Parameters:
  ///   - weight: `[D]`, of the tensor's type.
  ///   - bias: `[D]`, of the tensor's type.
  package func layerNorm(weight: Tensor, bias: Tensor, epsilon: Double) -> Tensor {
    Tensor.wrap("layerNorm", Engine.functions.layer_norm(handle, weight.handle, bias.handle, epsilon))
  }

  /// x · Φ(x), the Gaussian error linear unit (Hendrycks & Gimpel 2016), or its approximation by tanh.
  package func gelu(tanh: Bool = false) -> Tensor { Tensor.wrap("gelu", Engine.functions.gelu(handle, tanh)) }

  /// `softmax(q kᵀ / √d) v` (Vaswani et al. 2017) with the tensor as q: `[N, H, T, d]` each.
  package func attention(keys: Tensor, values: Tensor) -> Tensor {
    Tensor.wrap("attention", Engine.functions.attention(handle, keys.handle, values.handle))
  }
}
