import Foundation
import Testing
import Torch

@testable import Backbones

@Suite struct LawTests {
  /// Sizes whose maps are odd and even in different places, down to a single pixel.
  @Test(arguments: [BackboneKind.efficientNetLite0, .resNet18], [1, 33, 50, 64, 75])
  func foldingBatchNormChangesNothing(kind: BackboneKind, size: Int) throws {
    let checkpoint = Made.checkpoint(kind)
    let pixels = Made.pixels(2, size: size)
    let folded = try Backbone(kind, checkpoint: checkpoint, name: "made", precision: .float32)
    let unfolded = try WeightReader(checkpoint, path: "made", kind: kind).network()
    let expected = unfolded.features(kind.normalization(pixels, dtype: .float32))
    #expect(relativeDifference(folded.features(pixels), expected) < 2e-5)
  }

  @Test(arguments: [Precision.float32, .bfloat16])
  func featuresDoNotDependOnTheBatch(precision: Precision) throws {
    let backbone = try Backbone(
      .efficientNetLite0, checkpoint: Made.checkpoint(.efficientNetLite0), name: "made", precision: precision)
    let pixels = Made.pixels(35, size: 48)
    #expect(backbone.sliceCount(height: 48, width: 48) == 32)
    let together = backbone.features(pixels)
    #expect(together.shape == [35, 1280])
    for range in [0..<1, 5..<9, 30..<35] {
      #expect(backbone.features(pixels[range]).floats() == together[range].floats())
    }
    #expect(backbone.features(pixels[0..<0]).shape == [0, 1280])
  }

  /// The program is compared with the network when it is written.
  @Test(arguments: [(BackboneKind.efficientNetLite0, 50), (.efficientNetLite0, 33), (.resNet18, 64)])
  func aProgramComputesTheSame(kind: BackboneKind, size: Int) throws {
    let backbone = try Backbone(kind, checkpoint: Made.checkpoint(kind), name: "made", precision: .float32)
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).pt").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let tensors = try backbone.writeTorchScript(to: path, size: size, about: "{}")
    #expect(tensors == 2 * backbone.network.units.count + 4)
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test func gradientsReachTheUnfoldedWeights() throws {
    let kind = BackboneKind.efficientNetLite0
    let network = try WeightReader(Made.checkpoint(kind), path: "made", kind: kind).network()
    for unit in network.units { unit.weight.requiresGradient = true }
    network.features(kind.normalization(Made.pixels(size: 32), dtype: .float32)).sum().backward()
    for unit in network.units {
      #expect(unit.weight.gradient?.absolute().sum().item ?? 0 > 0, "\(unit.description.name)")
    }
  }

  @Test func paddingFollowsTensorFlow() {
    // The worked examples of TensorFlow's guide to convolution: ⌈size / stride⌉ results, the odd zero at the end.
    let cases: [(size: Int, kernel: Int, stride: Int, zeros: [Int])] = [
      (224, 3, 2, [0, 1]), (225, 3, 2, [1, 1]), (56, 5, 2, [1, 2]), (7, 5, 1, [2, 2]), (1, 3, 2, [1, 1]),
      (10, 1, 2, [0, 0]),
    ]
    for one in cases {
      let amounts = Padding.same.amounts(size: one.size, kernel: one.kernel, stride: one.stride)
      #expect([amounts.before, amounts.after] == one.zeros)
    }
  }

  @Test(
    "Numbers of parameters as published, less those of the classifier of 1,000 classes",
    arguments: [
      (BackboneKind.efficientNetLite0, 4_652_008), (.efficientNetLite1, 5_416_680),
      (.efficientNetLite2, 6_092_072),
      (.resNet18, 11_689_512), (.resNet34, 21_797_672), (.resNet50, 25_557_032), (.resNet101, 44_549_160),
    ])
  func parameterCounts(kind: BackboneKind, published: Int) {
    #expect(kind.parameterCount == published - 1000 * (kind.featureDimension + 1))
  }

  @Test func bfloat16IsRecognized() {
    #expect(Processor.hasBFloat16(cpuInfo: "processor\t: 0\nflags\t\t: fpu avx512_bf16 clzero\n"))
    #expect(Processor.hasBFloat16(cpuInfo: "flags : amx_bf16\n"))
    #expect(!Processor.hasBFloat16(cpuInfo: "model name : avx512_bf16\nflags\t\t: fpu avx512f\n"))
    #expect(!Processor.hasBFloat16(cpuInfo: ""))
    #expect(Precision.float32.dtype == .float32)
  }
}
