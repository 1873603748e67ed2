extension TensorNames {
  /// Vision transformers: our names are timm's, but for queries, keys and values that lie apart (`attn.q` …) and the
  /// text beside the rules.
  static let transformer = TensorNames(
    timm + hub + openCLIP + huggingFaceViT + huggingFaceDINOv3 + huggingFaceCLIP + withoutUse)

  private static let timm: [(String, String)] =
    ["cls_token", "reg_token", "pos_embed"].map { ($0, $0) }
    + ["patch_embed.proj.*", "norm_pre.*", "norm.*", "fc_norm.*", "attn_pool.*"].map { ($0, $0) }
    + [
      "norm1.*", "norm2.*", "attn.qkv.*", "attn.q_bias", "attn.v_bias", "attn.proj.*", "ls1.gamma",
      "ls2.gamma",
      "mlp.fc1.*", "mlp.fc2.*", "mlp.fc1_g.*", "mlp.fc1_x.*",
    ].map { ("blocks.#.\($0)", "blocks.#.\($0)") }
    + [("blocks.#.gamma_1", "blocks.#.ls1.gamma"), ("blocks.#.gamma_2", "blocks.#.ls2.gamma")]

  /// torch.hub's DINOv2 and DINOv3, beyond timm's.
  private static let hub: [(String, String)] = [
    ("register_tokens", "reg_token"), ("storage_tokens", "reg_token"),
    ("blocks.#.mlp.w12.*", "blocks.#.mlp.fc1.*"),
    ("blocks.#.mlp.w1.*", "blocks.#.mlp.fc1_g.*"), ("blocks.#.mlp.w2.*", "blocks.#.mlp.fc1_x.*"),
    ("blocks.#.mlp.w3.*", "blocks.#.mlp.fc2.*"),
  ]

  private static let openCLIP: [(String, String)] =
    [
      ("class_embedding", "cls_token"), ("positional_embedding", "pos_embed"),
      ("conv1.*", "patch_embed.proj.*"), ("ln_pre.*", "norm_pre.*"), ("ln_post.*", "norm.*"),
    ]
    + [
      ("ln_1.*", "norm1.*"), ("ln_2.*", "norm2.*"), ("attn.in_proj_weight", "attn.qkv.weight"),
      ("attn.in_proj_bias", "attn.qkv.bias"), ("attn.out_proj.*", "attn.proj.*"), ("mlp.c_fc.*", "mlp.fc1.*"),
      ("mlp.c_proj.*", "mlp.fc2.*"), ("ls_1.gamma", "ls1.gamma"), ("ls_2.gamma", "ls2.gamma"),
    ].map { ("transformer.resblocks.#.\($0.0)", "blocks.#.\($0.1)") }

  /// Hugging Face's ViT, DeiT and DINOv2.
  private static let huggingFaceViT: [(String, String)] =
    [
      ("embeddings.cls_token", "cls_token"), ("embeddings.register_tokens", "reg_token"),
      ("embeddings.position_embeddings", "pos_embed"),
      ("embeddings.patch_embeddings.projection.*", "patch_embed.proj.*"), ("layernorm.*", "norm.*"),
    ]
    + [
      ("norm1.*", "norm1.*"), ("norm2.*", "norm2.*"), ("layernorm_before.*", "norm1.*"),
      ("layernorm_after.*", "norm2.*"), ("attention.attention.query.*", "attn.q.*"),
      ("attention.attention.key.*", "attn.k.*"), ("attention.attention.value.*", "attn.v.*"),
      ("attention.output.dense.*", "attn.proj.*"), ("layer_scale1.lambda1", "ls1.gamma"),
      ("layer_scale2.lambda1", "ls2.gamma"), ("mlp.fc1.*", "mlp.fc1.*"), ("mlp.fc2.*", "mlp.fc2.*"),
      ("mlp.weights_in.*", "mlp.fc1.*"), ("mlp.weights_out.*", "mlp.fc2.*"),
      ("intermediate.dense.*", "mlp.fc1.*"), ("output.dense.*", "mlp.fc2.*"),
    ].map { ("encoder.layer.#.\($0.0)", "blocks.#.\($0.1)") }

  private static let huggingFaceDINOv3: [(String, String)] =
    [("embeddings.patch_embeddings.*", "patch_embed.proj.*")]
    + [
      ("norm1.*", "norm1.*"), ("norm2.*", "norm2.*"), ("attention.q_proj.*", "attn.q.*"),
      ("attention.k_proj.*", "attn.k.*"), ("attention.v_proj.*", "attn.v.*"),
      ("attention.o_proj.*", "attn.proj.*"),
      ("layer_scale1.lambda1", "ls1.gamma"), ("layer_scale2.lambda1", "ls2.gamma"),
      // With a gate beside it, the first layer is only the half that the gate multiplies.
      ("mlp.gate_proj.*", "mlp.fc1_g.*"), ("mlp.up_proj.*", "mlp.fc1.*"), ("mlp.down_proj.*", "mlp.fc2.*"),
    ].map { ("layer.#.\($0.0)", "blocks.#.\($0.1)") }

  /// Hugging Face's CLIP and SigLIP. SigLIP's head pools by attention: timm's `attn_pool`, its three matrices in one.
  private static let huggingFaceCLIP: [(String, String)] =
    [
      ("embeddings.class_embedding", "cls_token"), ("embeddings.position_embedding.weight", "pos_embed"),
      ("embeddings.patch_embedding.*", "patch_embed.proj.*"), ("pre_layrnorm.*", "norm_pre.*"),
      ("post_layernorm.*", "norm.*"), ("head.probe", "attn_pool.latent"),
      ("head.attention.in_proj_weight", "attn_pool.qkv.weight"),
      ("head.attention.in_proj_bias", "attn_pool.qkv.bias"),
      ("head.attention.out_proj.*", "attn_pool.proj.*"),
      ("head.layernorm.*", "attn_pool.norm.*"), ("head.mlp.*", "attn_pool.mlp.*"),
    ]
    + [
      ("layer_norm1.*", "norm1.*"), ("layer_norm2.*", "norm2.*"), ("self_attn.q_proj.*", "attn.q.*"),
      ("self_attn.k_proj.*", "attn.k.*"), ("self_attn.v_proj.*", "attn.v.*"),
      ("self_attn.out_proj.*", "attn.proj.*"),
      ("mlp.fc1.*", "mlp.fc1.*"), ("mlp.fc2.*", "mlp.fc2.*"),
    ].map { ("encoder.layers.#.\($0.0)", "blocks.#.\($0.1)") }

  /// Classifiers, projections to the text's space, tokens for masked patches, buffers that are computed.
  private static let withoutUse: [(String, String)] = [
    "head.weight", "head.bias", "head_dist.*", "classifier.*", "fc.*", "pooler.*", "proj", "mask_token",
    "embeddings.mask_token", "embeddings.position_ids", "rope_embed.periods", "local_cls_norm.*",
    "cls_norm.*",
  ].map { ($0, "") }
}
