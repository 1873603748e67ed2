import Torch

/// Layer normalization in float32.
struct LayerNormalization: Sendable {
  /// `[D]`, float32.
  let weight: Tensor
  let bias: Tensor
  let epsilon: Double

  func callAsFunction(_ x: Tensor) -> Tensor {
    x.to(.float32).layerNorm(weight: weight, bias: bias, epsilon: epsilon)
  }

  func to(_ device: Device) -> LayerNormalization {
    LayerNormalization(weight: weight.to(device), bias: bias.to(device), epsilon: epsilon)
  }
}

/// A linear layer in the network's own type.
struct TransformerLinear: Sendable {
  /// `[O, I]`
  let weight: Tensor
  let bias: Tensor?

  init(weight: Tensor, bias: Tensor?, dtype: DType) {
    self.weight = weight.to(dtype)
    self.bias = bias?.to(dtype)
  }

  private init(_ weight: Tensor, _ bias: Tensor?) {
    self.weight = weight
    self.bias = bias
  }

  func callAsFunction(_ x: Tensor) -> Tensor { x.to(weight.dtype).linear(weight, bias: bias) }

  func to(_ device: Device) -> TransformerLinear { TransformerLinear(weight.to(device), bias?.to(device)) }
}

/// The two layers of a block that work on each token by itself.
struct TransformerMLP: Sendable {
  /// In SwiGLU networks the half that is passed through σ, followed by the half that it gates, in one matrix.
  let first: TransformerLinear
  let second: TransformerLinear
  let isGated: Bool
  let activation: NetworkFacts.Activation

  func callAsFunction(_ x: Tensor) -> Tensor {
    let inner = first(x)
    if isGated {
      let half = inner.size(-1) / 2
      let gate = inner.narrow(dim: -1, start: 0, count: half)
      return second(gate * gate.sigmoid() * inner.narrow(dim: -1, start: half, count: half))
    }
    switch activation {
    case .gelu: return second(inner.gelu())
    case .approximateGELU: return second(inner.gelu(tanh: true))
    case .quickGELU: return second(inner * (inner * 1.702).sigmoid())
    }
  }

  func to(_ device: Device) -> TransformerMLP {
    TransformerMLP(
      first: first.to(device), second: second.to(device), isGated: isGated, activation: activation)
  }
}

/// A block: attention, then the two layers, each with a way around it. The scales of its branches (LayerScale) are multiplied
/// into their last layers.
struct TransformerBlock: Sendable {
  let norm1: LayerNormalization
  /// `[3 D, D]`: queries, keys, values.
  let qkv: TransformerLinear
  let project: TransformerLinear
  let norm2: LayerNormalization
  let mlp: TransformerMLP
  let heads: Int

  /// Tokens `[N, T, D]`, float32.
  func callAsFunction(_ x: Tensor, rotary: RotaryPositions?, prefix: Int) -> Tensor {
    let y = x + attended(norm1(x), rotary: rotary, prefix: prefix).to(.float32)
    return y + mlp(norm2(y)).to(.float32)
  }

  private func attended(_ x: Tensor, rotary: RotaryPositions?, prefix: Int) -> Tensor {
    let count = x.size(0)
    let tokens = x.size(1)
    let width = x.size(2)
    // [3, N, H, T, d]
    let parts = qkv(x).reshaped([count, tokens, 3, heads, width / heads]).permuted([2, 0, 3, 1, 4])
    var q = parts.select(dim: 0, index: 0)
    var k = parts.select(dim: 0, index: 1)
    if let rotary {
      q = rotary(q, prefix: prefix)
      k = rotary(k, prefix: prefix)
    }
    let result = q.attention(keys: k, values: parts.select(dim: 0, index: 2))
    return project(result.transposed(1, 2).reshaped([count, tokens, width]))
  }

  func to(_ device: Device) -> TransformerBlock {
    TransformerBlock(
      norm1: norm1.to(device), qkv: qkv.to(device), project: project.to(device), norm2: norm2.to(device),
      mlp: mlp.to(device), heads: heads)
  }
}

/// Tokens pooled by one learned question: SigLIP's head (Zhai et al. 2023).
struct AttentionPool: Sendable {
  /// The question, multiplied by the queries' matrix: `[1, H, 1, d]`.
  let query: Tensor
  /// `[2 D, D]`: keys, values.
  let keysAndValues: TransformerLinear
  let project: TransformerLinear
  let norm: LayerNormalization
  let mlp: TransformerMLP
  let heads: Int

  /// Tokens `[N, T, D]` to `[N, D]`, float32.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let count = x.size(0)
    let tokens = x.size(1)
    let width = x.size(2)
    let parts = keysAndValues(x).reshaped([count, tokens, 2, heads, width / heads]).permuted([2, 0, 3, 1, 4])
    let q = query.expanded([count, heads, 1, width / heads])
    let found = q.attention(keys: parts.select(dim: 0, index: 0), values: parts.select(dim: 0, index: 1))
    let pooled = project(found.transposed(1, 2).reshaped([count, width])).to(.float32)
    return pooled + mlp(norm(pooled)).to(.float32)
  }

  func to(_ device: Device) -> AttentionPool {
    AttentionPool(
      query: query.to(device), keysAndValues: keysAndValues.to(device), project: project.to(device),
      norm: norm.to(device), mlp: mlp.to(device), heads: heads)
  }
}
