import Foundation

/// The facts about a network that its weights do not tell, from the files that Hugging Face and timm keep beside them:
/// `config.json`, `preprocessor_config.json`, `open_clip_config.json`. Whatever is missing is nil.
package struct NetworkFacts: Sendable, Hashable {
  enum Activation: Sendable, Hashable {
    case gelu
    /// By tanh, as SigLIP has it.
    case approximateGELU
    /// x · σ(1.702 x), as OpenAI's CLIP has it.
    case quickGELU
  }

  var heads: Int?
  var headWidth: Int?
  var activation: Activation?
  var epsilon: Double?
  /// Of pixels from 0 to 1.
  var mean: [Double]?
  var deviation: [Double]?
  var size: Int?

  init() {}

  /// Reads the files beside one of weights; files that are missing, or not JSON, say nothing.
  package init(beside weights: String) {
    let folder = URL(fileURLWithPath: weights).deletingLastPathComponent()
    func object(_ name: String) -> [String: Any]? {
      (try? Data(contentsOf: folder.appendingPathComponent(name)))
        .flatMap { try? JSONSerialization.jsonObject(with: $0) } as? [String: Any]
    }
    if let config = object("config.json") { readConfig(config) }
    if let config = object("open_clip_config.json") { readOpenCLIP(config) }
    if let config = object("preprocessor_config.json") { readPreprocessor(config) }
  }

  private mutating func readConfig(_ config: [String: Any]) {
    let vision = config["vision_config"] as? [String: Any] ?? config
    heads = whole(vision["num_attention_heads"])
    epsilon = number(vision["layer_norm_eps"])
    size = whole(vision["image_size"])
    switch vision["hidden_act"] as? String {
    case "gelu": activation = .gelu
    case "gelu_pytorch_tanh", "gelu_new", "gelu_fast": activation = .approximateGELU
    case "quick_gelu": activation = .quickGELU
    default: break
    }
    // timm's.
    if let name = config["architecture"] as? String, name.contains("quickgelu") { activation = .quickGELU }
    if let trained = config["pretrained_cfg"] as? [String: Any] {
      mean = numbers(trained["mean"])
      deviation = numbers(trained["std"])
      size = numbers(trained["input_size"])?.last.map { Int($0) }
    }
  }

  private mutating func readOpenCLIP(_ config: [String: Any]) {
    if let model = config["model_cfg"] as? [String: Any] {
      if let quick = model["quick_gelu"] as? Bool { activation = quick ? .quickGELU : .gelu }
      let vision = model["vision_cfg"] as? [String: Any]
      headWidth = whole(vision?["head_width"])
      size = whole(vision?["image_size"])
    }
    if let preparation = config["preprocess_cfg"] as? [String: Any] {
      mean = numbers(preparation["mean"])
      deviation = numbers(preparation["std"])
    }
  }

  private mutating func readPreprocessor(_ config: [String: Any]) {
    mean = numbers(config["image_mean"]) ?? mean
    deviation = numbers(config["image_std"]) ?? deviation
    let crop = config["crop_size"] ?? config["size"]
    let sides = crop as? [String: Any]
    size = whole(sides?["height"] ?? sides?["shortest_edge"] ?? crop) ?? size
  }

  private func number(_ value: Any?) -> Double? { (value as? NSNumber)?.doubleValue }

  /// A count or a length; what no network can have says nothing.
  private func whole(_ value: Any?) -> Int? {
    number(value).flatMap { (1...65_536).contains($0) ? Int($0) : nil }
  }

  private func numbers(_ value: Any?) -> [Double]? {
    guard let list = value as? [Any] else { return nil }
    let numbers = list.compactMap { number($0) }
    return numbers.count == 3 ? numbers : nil
  }

  /// How pixels from 0 to 255 become input, where the files say it.
  var normalization: PixelNormalization? {
    guard let mean, let deviation, deviation.allSatisfy({ $0 > 0 }) else { return nil }
    return PixelNormalization(mean: mean.map { 255 * $0 }, deviation: deviation.map { 255 * $0 })
  }
}
