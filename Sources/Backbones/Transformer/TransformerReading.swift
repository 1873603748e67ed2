import Foundation
import Torch

/// Reads a vision transformer out of a file's tensors: what it is follows from their names and shapes, and from what lies
/// beside the file.
struct TransformerReading {
  private let tensors: NetworkTensors
  private let facts: NetworkFacts
  private let library: Library
  /// Tensors as the file names them, for telling libraries apart.
  private let isDINOv2: Bool

  /// Whose file it is: libraries differ in how they resize positions, and in what they take for granted.
  enum Library: Sendable, Hashable {
    case timm, huggingFace, openCLIP, hub
  }

  /// nil: the tensors are not a vision transformer's.
  init?(_ tower: Checkpoint, path: String, facts: NetworkFacts) throws(CheckpointError) {
    let renamed = RenamedTensors(tower, by: .transformer)
    guard renamed.tensors["patch_embed.proj.weight"] != nil, renamed.tensors["blocks.0.norm1.weight"] != nil
    else {
      return nil
    }
    tensors = try NetworkTensors(renamed, path: path, what: "a vision transformer")
    self.facts = facts
    let names = Set(tower.tensors.names)
    library =
      if names.contains(where: { $0.hasPrefix("embeddings.") }) {
        .huggingFace
      } else if names.contains("conv1.weight") {
        .openCLIP
      } else if names.contains("mask_token") {
        .hub
      } else {
        .timm
      }
    isDINOv2 = tensors.has("blocks.0.ls1.gamma") && tensors.has("pos_embed")
  }

  /// All that computes.
  struct Parts {
    var size: Int
    var patchSize: Int
    var width: Int
    var normalization: PixelNormalization
    var patchWeight: Tensor
    var patchBias: Tensor?
    var prefix: Tensor?
    var hasClassToken: Bool
    var positions: Tensor?
    var rotary: RotaryPositions?
    var before: LayerNormalization?
    var blocks: [TransformerBlock]
    var after: LayerNormalization?
    var afterPooling: LayerNormalization?
    var attentionPool: AttentionPool?
  }

  func parts(size wanted: Int?, dtype: DType) throws(CheckpointError) -> Parts {
    let shape = tensors.shape("patch_embed.proj.weight") ?? []
    guard shape.count == 4, shape[1] == 3, shape[2] == shape[3], shape[2] > 0 else {
      throw CheckpointError(
        path: tensors.path,
        what: "its patches are not square with three color channels (patch_embed.proj.weight is \(shape))",
        remedy: NetworkFile.exportRemedy)
    }
    let width = shape[0]
    let patch = shape[2]
    let depth = (0..<1024).first { !tensors.has("blocks.\($0).norm1.weight") } ?? 0
    try requireAll(depth: depth)
    let heads = try headCount(width: width)
    let hasClass = tensors.has("cls_token")
    let learned = try tensors.has("pos_embed") ? tensors.tensor("pos_embed", [1, -1, width]) : nil
    // A square of patches, and perhaps the class token before it.
    let places = learned?.size(1) ?? 0
    let grid = Int(Double(places).squareRoot())
    let placesClass = learned != nil && grid * grid != places
    guard !placesClass || grid * grid == places - 1 && hasClass else {
      throw CheckpointError(
        path: tensors.path, what: "its \(places) positions do not form a square of patches",
        remedy: NetworkFile.exportRemedy)
    }
    let size = try side(wanted, patch: patch, grid: learned == nil ? nil : grid)
    let newGrid = size / patch
    var positions = learned.map { $0.narrow(dim: 1, start: placesClass ? 1 : 0, count: grid * grid) }
    positions = positions.map { PositionGrid.resized($0, to: newGrid, by: resizing) }
    var prefix: [Tensor] = []
    if hasClass {
      let token = try tensors.tensor("cls_token", [1, 1, width])
      prefix.append(placesClass ? token + (learned?.narrow(dim: 1, start: 0, count: 1) ?? token * 0) : token)
    }
    if let count = tensors.shape("reg_token")?.dropLast().last, count > 0 {
      prefix.append(try tensors.tensor("reg_token", [1, count, width]))
    }
    let headWidth = width / heads
    var blocks: [TransformerBlock] = []
    for index in 0..<depth {
      blocks.append(try block("blocks.\(index).", width: width, heads: heads, dtype: dtype))
    }
    return Parts(
      size: size, patchSize: patch, width: width, normalization: facts.normalization ?? usualNormalization,
      patchWeight: try tensors.tensor("patch_embed.proj.weight", shape).to(dtype).channelsLast(),
      patchBias: try tensors.optional("patch_embed.proj.bias")?.to(dtype),
      prefix: prefix.isEmpty ? nil : .concatenate(prefix, dim: 1), hasClassToken: hasClass,
      positions: positions,
      rotary: learned == nil ? RotaryPositions(side: newGrid, headWidth: headWidth) : nil,
      before: try norm("norm_pre", width), blocks: blocks, after: try norm("norm", width),
      afterPooling: try norm("fc_norm", width),
      attentionPool: try attentionPool(width: width, heads: heads, dtype: dtype))
  }

  // MARK: Facts that the tensors imply

  private func requireAll(depth: Int) throws(CheckpointError) {
    var names: [String] = tensors.has("fc_norm.weight") ? [] : ["norm.weight", "norm.bias"]
    for index in 0..<depth {
      let apart = tensors.has("blocks.\(index).attn.q.weight")
      let gated =
        tensors.has("blocks.\(index).mlp.fc1_g.weight") && !tensors.has("blocks.\(index).mlp.fc1.weight")
      names +=
        ["norm1.weight", "norm1.bias", "attn.proj.weight", "norm2.weight", "norm2.bias", "mlp.fc2.weight"]
        .map { "blocks.\(index).\($0)" }
        + (apart ? ["q", "k", "v"] : ["qkv"]).map { "blocks.\(index).attn.\($0).weight" }
        + (gated ? ["fc1_g", "fc1_x"] : ["fc1"]).map { "blocks.\(index).mlp.\($0).weight" }
    }
    try tensors.require(names)
  }

  /// Heads cannot be seen in weights. Networks as published have heads of 64 numbers but for the widths in the table.
  private func headCount(width: Int) throws(CheckpointError) -> Int {
    let isDINOv3 = !tensors.has("pos_embed")
    let unusual = isDINOv3 ? [4096: 32] : [1152: 16, 1280: 16, 1408: 16, 1664: 16, 1792: 16]
    let heads = facts.heads ?? facts.headWidth.map { width / max(1, $0) } ?? unusual[width] ?? width / 64
    guard heads > 0, width % heads == 0 else {
      throw CheckpointError(
        path: tensors.path, what: "a width of \(width) does not divide into \(heads) heads",
        remedy: "Put the network's config.json, with num_attention_heads, beside the file")
    }
    return heads
  }

  /// Width and height of the images: those wanted, else what the network was made for.
  private func side(_ wanted: Int?, patch: Int, grid: Int?) throws(CheckpointError) -> Int {
    // DINOv2 ends its training at 518 px, but is used at 224 px, at a fifth of the cost.
    let native = grid.map { isDINOv2 && $0 * patch == 518 ? 224 : $0 * patch } ?? facts.size ?? 224
    let size = wanted ?? native / patch * patch
    guard size >= patch, size % patch == 0 else {
      throw CheckpointError(
        path: tensors.path, what: "images of \(size) pixels do not divide into patches of \(patch)",
        remedy: "Give --size \(max(1, (size + patch / 2) / patch) * patch)")
    }
    return size
  }

  private var resizing: PositionGrid.Resizing {
    switch library {
    case .timm, .openCLIP: .antialiased
    case .huggingFace: tensors.has("reg_token") ? .antialiased : .plain
    case .hub: tensors.has("reg_token") ? .antialiased : .offset
    }
  }

  private var usualNormalization: PixelNormalization {
    if tensors.has("norm_pre.weight") { return .clip }
    let isDINO = tensors.has("blocks.0.ls1.gamma")
    return isDINO ? .imageNet : .centered
  }

  private var epsilon: Double {
    let isDINOv3 = !tensors.has("pos_embed")
    return facts.epsilon ?? (tensors.has("norm_pre.weight") || isDINOv3 ? 1e-5 : 1e-6)
  }

  private var activation: NetworkFacts.Activation {
    if let activation = facts.activation { return activation }
    if tensors.has("attn_pool.latent") { return library == .huggingFace ? .approximateGELU : .gelu }
    // Hugging Face keeps OpenAI's own networks; those of others come with a config.json.
    return tensors.has("norm_pre.weight") && library == .huggingFace ? .quickGELU : .gelu
  }

  // MARK: Layers

  private func norm(_ name: String, _ width: Int) throws(CheckpointError) -> LayerNormalization? {
    guard tensors.has("\(name).weight") else { return nil }
    return LayerNormalization(
      weight: try tensors.tensor("\(name).weight", [width]),
      bias: try tensors.tensor("\(name).bias", [width]),
      epsilon: epsilon)
  }

  private func requiredNorm(_ name: String, _ width: Int) throws(CheckpointError) -> LayerNormalization {
    guard let norm = try norm(name, width) else { preconditionFailure("\(name) is there") }
    return norm
  }

  private func block(
    _ prefix: String, width: Int, heads: Int, dtype: DType
  ) throws(CheckpointError) -> TransformerBlock {
    TransformerBlock(
      norm1: try requiredNorm(prefix + "norm1", width),
      qkv: try queriesKeysValues(prefix + "attn.", width: width, dtype: dtype),
      project: try linear(
        prefix + "attn.proj", [width, width], scale: tensors.optional(prefix + "ls1.gamma"), dtype: dtype),
      norm2: try requiredNorm(prefix + "norm2", width),
      mlp: try mlp(
        prefix + "mlp.", width: width, scale: tensors.optional(prefix + "ls2.gamma"), dtype: dtype),
      heads: heads)
  }

  private func queriesKeysValues(
    _ prefix: String, width: Int, dtype: DType
  ) throws(CheckpointError) -> TransformerLinear {
    guard tensors.has(prefix + "qkv.weight") else {
      var weights: [Tensor] = []
      var biases: [Tensor] = []
      for part in ["q", "k", "v"] {
        weights.append(try tensors.tensor("\(prefix)\(part).weight", [width, width]))
        // DINOv3's keys have none.
        biases.append(try tensors.optional("\(prefix)\(part).bias") ?? .zeros([width]))
      }
      return TransformerLinear(weight: .concatenate(weights), bias: .concatenate(biases), dtype: dtype)
    }
    var bias = try tensors.optional(prefix + "qkv.bias")
    if let mask = try tensors.optional(prefix + "qkv.bias_mask") { bias = bias.map { $0 * mask } }
    if let queries = try tensors.optional(prefix + "q_bias"),
      let values = try tensors.optional(prefix + "v_bias")
    {
      bias = .concatenate([queries, .zeros([width]), values])
    }
    return TransformerLinear(
      weight: try tensors.tensor(prefix + "qkv.weight", [3 * width, width]), bias: bias, dtype: dtype)
  }

  private func linear(
    _ name: String, _ shape: [Int], scale: Tensor? = nil, dtype: DType
  ) throws(CheckpointError) -> TransformerLinear {
    var weight = try tensors.tensor(name + ".weight", shape)
    var bias = try tensors.optional(name + ".bias")
    if let scale {
      weight = weight * scale.reshaped([-1, 1])
      bias = bias.map { $0 * scale.reshaped([-1]) }
    }
    return TransformerLinear(weight: weight, bias: bias, dtype: dtype)
  }

  private func mlp(
    _ prefix: String, width: Int, scale: Tensor? = nil, dtype: DType
  ) throws(CheckpointError) -> TransformerMLP {
    let second = try linear(prefix + "fc2", [width, -1], scale: scale, dtype: dtype)
    let inner = second.weight.size(1)
    // The half that is gated: `fc1_x`, or beside a gate Hugging Face's `up_proj`.
    let gated = tensors.has(prefix + "fc1_g.weight")
    if gated {
      let other = tensors.has(prefix + "fc1_x.weight") ? "fc1_x" : "fc1"
      var biases: [Tensor] = []
      for part in ["fc1_g", other] {
        biases.append(try tensors.optional("\(prefix)\(part).bias") ?? .zeros([inner]))
      }
      let weights = Tensor.concatenate([
        try tensors.tensor(prefix + "fc1_g.weight", [inner, width]),
        try tensors.tensor(prefix + other + ".weight", [inner, width]),
      ])
      return TransformerMLP(
        first: TransformerLinear(weight: weights, bias: .concatenate(biases), dtype: dtype), second: second,
        isGated: true, activation: activation)
    }
    let first = try linear(prefix + "fc1", [-1, width], dtype: dtype)
    return TransformerMLP(
      first: first, second: second, isGated: first.weight.size(0) == 2 * inner, activation: activation)
  }

  private func attentionPool(
    width: Int, heads: Int, dtype: DType
  ) throws(CheckpointError) -> AttentionPool? {
    guard tensors.has("attn_pool.latent") else { return nil }
    let latent = try tensors.tensor("attn_pool.latent", [1, width])
    let (query, queryBias, rest, restBias): (Tensor, Tensor, Tensor, Tensor)
    if tensors.has("attn_pool.qkv.weight") {
      let all = try tensors.tensor("attn_pool.qkv.weight", [3 * width, width])
      let bias = try tensors.tensor("attn_pool.qkv.bias", [3 * width])
      query = all[0..<width]
      queryBias = bias[0..<width]
      rest = all[width..<(3 * width)]
      restBias = bias[width..<(3 * width)]
    } else {
      query = try tensors.tensor("attn_pool.q.weight", [width, width])
      queryBias = try tensors.tensor("attn_pool.q.bias", [width])
      rest = try tensors.tensor("attn_pool.kv.weight", [2 * width, width])
      restBias = try tensors.tensor("attn_pool.kv.bias", [2 * width])
    }
    return AttentionPool(
      query: latent.linear(query, bias: queryBias).reshaped([1, heads, 1, width / heads]).to(dtype),
      keysAndValues: TransformerLinear(weight: rest, bias: restBias, dtype: dtype),
      project: try linear("attn_pool.proj", [width, width], dtype: dtype),
      norm: try requiredNorm("attn_pool.norm", width),
      mlp: try mlp("attn_pool.mlp.", width: width, dtype: dtype), heads: heads)
  }
}
