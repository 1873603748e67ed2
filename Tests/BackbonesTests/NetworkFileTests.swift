import Foundation
import Testing
import Torch

@testable import Backbones

/// Files of weights by the names of timm, Hugging Face, open_clip, torch.hub and torchvision, against those libraries.
@Suite struct NetworkFileTests {
  struct Case: Decodable, CustomTestStringConvertible, Sendable {
    var file: String
    var size: Int
    var pool: Pooling
    var features: String

    var testDescription: String { features }
  }

  struct NamedShape: Decodable {
    var name: String
    var shape: [Int]

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      name = try values.decode(String.self)
      shape = try values.decode([Int].self)
    }
  }

  static let fixture: Checkpoint? = Bundle.module.url(
    forResource: "Fixtures/networks", withExtension: "safetensors"
  )
  .flatMap { try? Checkpoint.read(path: $0.path) }

  static func decoded<Value: Decodable>(_ key: String, as type: Value.Type) -> Value? {
    fixture?.metadata[key].flatMap { try? JSONDecoder().decode(type, from: Data($0.utf8)) }
  }

  static let cases = decoded("cases", as: [Case].self) ?? []
  static let files = decoded("files", as: [String: [NamedShape]].self) ?? [:]

  /// The weights of one file, made by their names.
  static func checkpoint(_ file: String) throws -> Checkpoint {
    var checkpoint = Checkpoint()
    for tensor in try #require(files[file]) {
      checkpoint.tensors.append(Made.tensor(tensor.name, shape: tensor.shape), named: tensor.name)
    }
    // Its mask leaves keys without a bias.
    for (name, tensor) in checkpoint.tensors where name.hasSuffix("bias_mask") {
      let third = tensor.count / 3
      let mask = [Float](repeating: 1, count: third) + [Float](repeating: 0, count: third)
      checkpoint = checkpoint.mapping {
        $0 == name
          ? ($0, StoredTensor(mask + [Float](repeating: 1, count: third), shape: tensor.shape)) : ($0, $1)
      }
    }
    return checkpoint
  }

  static func network(_ one: Case, precision: Precision) throws -> any FeatureNetwork {
    try TemporaryFile.with(checkpoint(one.file)) {
      try NetworkFile.open($0, size: one.size, pooling: one.pool, precision: precision)
    }
  }

  @Test("there are cases") func casesAreThere() {
    #expect(Self.cases.count == 96 && Self.files.count == 30)
  }

  @Test(arguments: cases)
  func featuresAreTheLibrarys(_ one: Case) throws {
    let expected = try Tensor(#require(Self.fixture?[one.features])).unsqueezed(dim: 0)
    let exact = try Self.network(one, precision: .float32)
    let pixels = Made.pixels(2, size: one.size)
    let ours = exact.features(pixels)
    #expect(ours.shape == [2, exact.featureDimension])
    let difference = relativeDifference(ours[0..<1], expected)
    #expect(difference < 1e-4, "\(difference)")

    let rounded = try Self.network(one, precision: .bfloat16)
    #expect(rounded.dtype == .bfloat16)
    let cosine = cosines(rounded.features(pixels)[0..<1], expected)[0]
    #expect(cosine > 0.999, "\(cosine)")
  }

  @Test(arguments: ["timm-dinov2-reg4", "hf-siglip", "timm-convnextv2"])
  func featuresDoNotDependOnTheBatch(file: String) throws {
    let one = try #require(Self.cases.first { $0.file == file })
    let network = try Self.network(one, precision: .bfloat16)
    let pixels = Made.pixels(21, size: one.size)
    let together = network.features(pixels)
    for range in [0..<1, 5..<9, 17..<21] {
      #expect(network.features(pixels[range]).floats() == together[range].floats())
    }
  }

  // MARK: Files that are not understood

  private func error(_ checkpoint: Checkpoint, size: Int? = nil, pooling: Pooling = .auto) -> CheckpointError?
  {
    #expect(throws: CheckpointError.self) {
      try TemporaryFile.with(checkpoint) {
        try NetworkFile.open($0, size: size, pooling: pooling, precision: .float32)
      }
    }
  }

  @Test func missingTensorsAreNamed() throws {
    let whole = try Self.checkpoint("hf-dinov2")
    let partial = whole.mapping { $0.contains("layer.1.mlp") ? nil : ($0, $1) }
    let told = try #require(error(partial))
    #expect(
      told.what.contains("'blocks.1.mlp.fc2.weight'") && told.what.contains("'blocks.1.mlp.fc1.weight'"))
    #expect(told.remedy.contains("Scripts/export-network"))
  }

  @Test func tensorsWithoutAPlaceAreNamed() throws {
    var more = try Self.checkpoint("timm-vit")
    more.tensors.append(StoredTensor([1], shape: [1]), named: "blocks.0.attn.relative_position_bias_table")
    let told = try #require(error(more))
    #expect(told.what.contains("'blocks.0.attn.relative_position_bias_table' has no place"))
  }

  @Test func sizesThatAreNoPatchesAreRefused() throws {
    let told = try #require(error(try Self.checkpoint("timm-dinov2"), size: 75))
    #expect(told.what.contains("75 pixels") && told.remedy.contains("--size 70"))
  }

  @Test func networksWithoutClassTokenCannotPoolByIt() throws {
    // SigLIP without its head.
    let headless = try Self.checkpoint("timm-siglip").mapping { $0.hasPrefix("attn_pool") ? nil : ($0, $1) }
    let told = try #require(error(headless, pooling: .token))
    #expect(told.what.contains("no class token"))
    let network = try TemporaryFile.with(headless) { try NetworkFile.open($0, precision: .float32) }
    #expect(network.featureDimension == 128)
  }

  @Test func otherFilesAreToldWhatIsKnown() throws {
    let told = try #require(error(Checkpoint([("layer.weight", Tensor.zeros([2, 2]))])))
    #expect(told.what.contains("'layer.weight'") && told.what.contains("resnet18"))
  }

  @Test func builtInNetworksAreRecognized() throws {
    let network = try TemporaryFile.with(Made.checkpoint(.resNet18)) {
      try NetworkFile.open($0, precision: .float32)
    }
    #expect(network.name == "resnet18" && network.inputSize == 224)
  }

  // MARK: Files beside the weights

  @Test func configurationsBesideTheFileAreRead() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ name: String, _ text: String) throws {
      try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }
    let weights = folder.appendingPathComponent("model.safetensors").path
    #expect(NetworkFacts(beside: weights) == NetworkFacts())
    try write(
      "config.json",
      #"{"vision_config": {"num_attention_heads": 20, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, "image_size": 336}}"#
    )
    try write(
      "preprocessor_config.json",
      #"{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25], "crop_size": {"height": 224, "width": 224}}"#
    )
    let facts = NetworkFacts(beside: weights)
    #expect(facts.heads == 20 && facts.activation == .quickGELU && facts.epsilon == 1e-5 && facts.size == 224)
    #expect(facts.normalization?.mean == [127.5, 127.5, 127.5])
    #expect(facts.normalization?.deviation == [63.75, 63.75, 63.75])
    #expect(NetworkFile.displayName(weights) == folder.lastPathComponent)

    try write(
      "config.json",
      #"{"architecture": "vit_base_patch16_clip_quickgelu_224", "pretrained_cfg": {"mean": [0, 0, 0], "std": [1, 1, 1], "input_size": [3, 240, 240]}}"#
    )
    try FileManager.default.removeItem(at: folder.appendingPathComponent("preprocessor_config.json"))
    let timm = NetworkFacts(beside: weights)
    #expect(timm.activation == .quickGELU && timm.size == 240 && timm.deviation == [1, 1, 1])
  }

  // MARK: Names

  @Test func rulesCarryNumbersAndRests() {
    let names = TensorNames([("a.#.b.#.*", "x.#.y.#.*"), ("head.*", "")])
    #expect(names.translate("a.1.b.20.weight") == .name("x.1.y.20.weight"))
    #expect(names.translate("a.1.b.20") == .unknown && names.translate("a.n.b.2.weight") == .unknown)
    #expect(names.translate("head.fc.bias") == .dropped && names.translate("heads.fc") == .unknown)
  }

  @Test func towersOfPairsAreTakenAlone() throws {
    let tower = try Self.checkpoint("hf-clip").imageTower()
    #expect(tower.tensors.names.allSatisfy { !$0.contains("text") && !$0.hasPrefix("vision_model") })
    #expect(tower["embeddings.class_embedding"] != nil)
  }
}

enum TemporaryFile {
  /// Lends a file of some weights.
  static func with<Result>(_ checkpoint: Checkpoint, _ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("weights.safetensors").path
    try SafeTensors.write(tensors: checkpoint.tensors, metadata: [:], to: path)
    return try body(path)
  }
}
