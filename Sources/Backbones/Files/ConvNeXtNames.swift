extension TensorNames {
  /// ConvNeXt and ConvNeXt V2 by timm, Hugging Face, their authors, DINOv3 (Hugging Face, torch.hub) and torchvision.
  static let convNeXt = TensorNames(
    timmRules + huggingFaceRules + dinoRules + authorRules + torchvisionRules + rest)

  private static func block(_ from: String, _ parts: [(String, String)]) -> [(String, String)] {
    parts.map { ("\(from).\($0.0)", "stages.#.blocks.#.\($0.1)") }
  }

  private static let timmRules: [(String, String)] =
    [
      ("stem.0.*", "stem.conv.*"), ("stem.1.*", "stem.norm.*"),
      ("stages.#.downsample.0.*", "stages.#.down.norm.*"),
      ("stages.#.downsample.1.*", "stages.#.down.conv.*"), ("head.norm.*", "norm.*"), ("head.fc.*", ""),
    ]
    + block(
      "stages.#.blocks.#",
      [
        ("conv_dw.*", "filter.*"), ("norm.*", "norm.*"), ("mlp.fc1.*", "fc1.*"), ("mlp.grn.*", "grn.*"),
        ("mlp.fc2.*", "fc2.*"), ("gamma", "gamma"),
      ])

  private static let huggingFaceRules: [(String, String)] =
    [
      ("embeddings.patch_embeddings.*", "stem.conv.*"), ("embeddings.layernorm.*", "stem.norm.*"),
      ("encoder.stages.#.downsampling_layer.0.*", "stages.#.down.norm.*"),
      ("encoder.stages.#.downsampling_layer.1.*", "stages.#.down.conv.*"), ("layernorm.*", "norm.*"),
    ]
    + block(
      "encoder.stages.#.layers.#",
      [
        ("dwconv.*", "filter.*"), ("layernorm.*", "norm.*"), ("pwconv1.*", "fc1.*"), ("grn.*", "grn.*"),
        ("pwconv2.*", "fc2.*"), ("layer_scale_parameter", "gamma"),
      ])

  private static let dinoRules: [(String, String)] =
    [
      ("stages.0.downsample_layers.0.*", "stem.conv.*"), ("stages.0.downsample_layers.1.*", "stem.norm.*"),
      ("stages.#.downsample_layers.0.*", "stages.#.down.norm.*"),
      ("stages.#.downsample_layers.1.*", "stages.#.down.conv.*"), ("layer_norm.*", "norm.*"),
      ("norms.#.*", ""),
    ]
    + block(
      "stages.#.layers.#",
      [
        ("depthwise_conv.*", "filter.*"), ("layer_norm.*", "norm.*"), ("pointwise_conv1.*", "fc1.*"),
        ("pointwise_conv2.*", "fc2.*"), ("gamma", "gamma"),
      ])

  private static let authorRules: [(String, String)] =
    [
      ("downsample_layers.0.0.*", "stem.conv.*"), ("downsample_layers.0.1.*", "stem.norm.*"),
      ("downsample_layers.#.0.*", "stages.#.down.norm.*"),
      ("downsample_layers.#.1.*", "stages.#.down.conv.*"),
      ("norm.*", "norm.*"),
    ]
    + block(
      "stages.#.#",
      [
        ("dwconv.*", "filter.*"), ("norm.*", "norm.*"), ("pwconv1.*", "fc1.*"), ("grn.gamma", "grn.weight"),
        ("grn.beta", "grn.bias"), ("pwconv2.*", "fc2.*"), ("gamma", "gamma"),
      ])

  /// Stages are the odd layers, what makes maps smaller the even ones.
  private static let torchvisionRules: [(String, String)] =
    [
      ("features.0.0.*", "stem.conv.*"), ("features.0.1.*", "stem.norm.*"), ("classifier.0.*", "norm.*"),
      ("classifier.2.*", ""),
    ]
    + (1..<4).flatMap { stage in
      [
        ("features.\(2 * stage).0.*", "stages.\(stage).down.norm.*"),
        ("features.\(2 * stage).1.*", "stages.\(stage).down.conv.*"),
      ]
    }
    + (0..<4).flatMap { stage in
      [
        ("block.0.*", "filter.*"), ("block.2.*", "norm.*"), ("block.3.*", "fc1.*"), ("block.5.*", "fc2.*"),
        ("layer_scale", "gamma"),
      ].map { ("features.\(2 * stage + 1).#.\($0.0)", "stages.\(stage).blocks.#.\($0.1)") }
    }

  private static let rest: [(String, String)] = ["head.weight", "head.bias", "classifier.*", "mask_token"]
    .map { ($0, "") }
}
