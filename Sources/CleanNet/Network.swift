import Torch

/// Maps an image's feature vector to φ_q; its mirror, the decoder, makes an auto-encoder of it.
///
/// CleanNet, section 3.2: D→256→128→256→D, tanh after each layer.
public struct QueryEncoder: Parameterized, Sendable {
  let first, second, mirrorSecond, mirrorFirst: Linear
  let decoderTanh, bfloat16: Bool

  init(_ architecture: Architecture, bfloat16: Bool, generator: Generator) {
    let d = architecture.dimension
    let hidden = architecture.queryHidden
    let embedding = architecture.embedding
    first = Linear(d, hidden, generator: generator)
    second = Linear(hidden, embedding, generator: generator)
    mirrorSecond = Linear(embedding, hidden, generator: generator)
    mirrorFirst = Linear(hidden, d, generator: generator)
    decoderTanh = architecture.decoderTanh
    self.bfloat16 = bfloat16
  }

  /// φ_q of normalized features: `[B, D]` → `[B, 128]`.
  public func callAsFunction(_ features: Tensor) -> Tensor {
    second((bfloat16 ? first.bfloat16(features) : first(features)).tanh()).tanh()
  }

  /// The same for features in batches of any size.
  func batchInvariant(_ features: Tensor) -> Tensor {
    second.batchInvariant(first.batchInvariant(features, bfloat16: bfloat16).tanh()).tanh()
  }

  /// v_r, the features as the decoder restores them: `[B, 128]` → `[B, D]`.
  public func decode(_ embeddings: Tensor) -> Tensor {
    let hidden = mirrorSecond(embeddings).tanh()
    let restored = bfloat16 ? mirrorFirst.bfloat16(hidden) : mirrorFirst(hidden)
    return decoderTanh ? restored.tanh() : restored
  }

  public var parameters: [(name: String, tensor: Tensor)] {
    first.parameters.prefixed("first") + second.parameters.prefixed("second")
      + mirrorSecond.parameters.prefixed("decoder.second") + mirrorFirst.parameters.prefixed("decoder.first")
  }
}

/// Maps a class's reference set to φ_s.
///
/// CleanNet, section 3.1: each reference is encoded on its own (D→512→256), attention weighs them
/// (u = tanh(W h + b), α = softmax(u · c) with a learned context vector c), and their sum is embedded (256→128).
public struct ReferenceSetEncoder: Parameterized, Sendable {
  let first, second, attention, embedding: Linear
  /// c, `[256]`
  let context: Tensor
  let dropout: Double
  let bfloat16: Bool

  init(_ architecture: Architecture, bfloat16: Bool, generator: Generator) {
    let width = architecture.attention
    first = Linear(architecture.dimension, architecture.referenceHidden, generator: generator)
    second = Linear(architecture.referenceHidden, width, generator: generator)
    attention = Linear(width, width, generator: generator)
    embedding = Linear(width, architecture.embedding, generator: generator)
    context = xavierUniform([1, width], generator: generator).reshaped([width])
    dropout = architecture.dropout
    self.bfloat16 = bfloat16
  }

  /// φ_s of classes: `[C, K, D]` and a mask `[C, K]` → `[C, 128]`.
  ///
  /// - Parameter generator: Draws the dropout; nil, as outside training, for none.
  public func callAsFunction(_ references: Tensor, mask: Tensor, dropoutBy generator: Generator? = nil)
    -> Tensor
  {
    var hidden = (bfloat16 ? first.bfloat16(references) : first(references)).tanh()
    if let generator { hidden = generator.dropout(hidden, probability: dropout) }
    let encoded = (bfloat16 ? second.bfloat16(hidden) : second(hidden)).tanh()
    let scores = (bfloat16 ? attention.bfloat16(encoded) : attention(encoded)).tanh().matmul(
      context.unsqueezed(dim: 1)
    ).squeezed(dim: -1)
    // Masked places weigh nothing. A class without references gets even weights over zeros instead of NaN.
    let weights = scores.masked(.!mask, with: -1e9).softmax(dim: 1).unsqueezed(dim: 2)
    return embedding((weights * encoded).sum(dim: 1)).tanh()
  }

  public var parameters: [(name: String, tensor: Tensor)] {
    first.parameters.prefixed("first") + second.parameters.prefixed("second")
      + attention.parameters.prefixed("attention") + [("context", context)]
      + embedding.parameters.prefixed("embedding")
  }
}

/// The two encoders. The cosine of φ_q and φ_s says how well image and class match.
public struct Network: Parameterized, Sendable {
  public let query: QueryEncoder
  public let reference: ReferenceSetEncoder

  public init(_ architecture: Architecture, bfloat16: Bool, seed: UInt64) {
    let generator = Generator(seed: seed)
    query = QueryEncoder(architecture, bfloat16: bfloat16, generator: generator)
    reference = ReferenceSetEncoder(architecture, bfloat16: bfloat16, generator: generator)
  }

  /// Cosines of every image with every class: `[B, 128]`, `[C, 128]` → `[B, C]`.
  public static func cosines(_ queries: Tensor, _ classes: Tensor) -> Tensor {
    queries.normalized().matmul(classes.normalized().transposed())
  }

  public var parameters: [(name: String, tensor: Tensor)] {
    query.parameters.prefixed("query") + reference.parameters.prefixed("reference")
  }
}
