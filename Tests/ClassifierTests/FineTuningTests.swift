import Backbones
import Foundation
import Images
import Synchronization
import Testing
import Torch

@testable import Classifier

/// Images of 32 px whose class is their color; the brightness differs from one to the next.
private struct Colors {
  let labels: [Int]
  /// Examples that were asked for.
  let asked = Asked()

  final class Asked: Sendable {
    private let examples = Mutex<[Int]>([])
    func add(_ example: Int) { examples.withLock { $0.append(example) } }
    var all: [Int] { examples.withLock { $0 } }
  }

  init(_ count: Int) { labels = (0..<count).map { $0 % 3 } }

  func data(weights: SampleWeights? = nil, validation: [Int] = [], bad: Set<Int> = []) -> FineTuningData {
    FineTuningData(
      labels: labels, weights: weights ?? .equal(labels.count), classes: 3, validation: validation,
      preparation: ImagePreparation(size: 32)
    ) { [labels, asked] (example, place, augmentation, seed) throws(ImageProblem) in
      asked.add(example)
      if bad.contains(example) {
        throw ImageProblem(kind: .damaged, image: "\(example)", explanation: "is damaged")
      }
      var random = SplitMix64(seed: augmentation == nil ? UInt64(example) : seed)
      for pixel in 0..<(32 * 32) {
        for band in 0..<3 {
          let level = UInt8.random(in: 0..<100, using: &random)
          place[pixel * 3 + band] = band == labels[example] ? level + 120 : level
        }
      }
    }
  }
}

private func untrained(_ seed: UInt64 = 0) -> ImageClassifier {
  ImageClassifier(TrainableBackbone(.efficientNetLite0, seed: seed, precision: .float32), classes: 3)
}

private func recipe(epochs: Int) -> FineTuningRecipe {
  var recipe = FineTuningRecipe()
  recipe.epochs = epochs
  recipe.batchSize = 8
  recipe.precision = .float32
  recipe.learningRate = 1e-3
  recipe.headFactor = 3
  recipe.averaging = 0.9
  return recipe
}

@Suite(.serialized) struct FineTuningTests {
  @Test("an untrained network learns: the loss falls") func learns() throws {
    let colors = Colors(48)
    let network = TrainableBackbone(.resNet18, seed: 0, precision: .float32)
    let tuning = FineTuning(
      ImageClassifier(network, classes: 3), recipe: recipe(epochs: 4), data: colors.data(), threads: 2)
    #expect(try tuning.run())
    let losses = tuning.progress.rows.map(\.loss)
    #expect(
      losses.count == 4 && losses.allSatisfy { $0.isFinite } && losses[3] < 0.8 * losses[0], "\(losses)")
    #expect(tuning.progress.step == tuning.totalSteps && tuning.totalSteps == 24)
  }

  @Test("a run that is stopped, and goes on, ends in the same weights to the bit", arguments: [false, true])
  func resumes(sgd: Bool) throws {
    let colors = Colors(30)
    var recipe = recipe(epochs: 2)
    recipe.optimization = sgd ? .sgd : .adamw
    recipe.mixup = sgd ? 0.4 : 0
    recipe.accumulation = sgd ? 1 : 2
    recipe.batchSize = sgd ? 8 : 4
    let data = colors.data(validation: [0, 1, 2, 27, 28, 29], bad: [4, 9])
    let whole = FineTuning(untrained(), recipe: recipe, data: data, threads: 2)
    #expect(try whole.run())

    // Killed after every second step; the state is kept after every step but the second one of each life.
    var kept: FineTuningState?
    var best: [(epoch: Int, weights: [(name: String, tensor: Tensor)])] = []
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("state.safetensors").path
    var lives = 0
    while true {
      lives += 1
      let keeper = FineTuningKeeper(
        interval: 1,
        restore: {
          guard let progress = kept?.progress, let stored = try? Checkpoint.read(path: file) else {
            return nil
          }
          return FineTuningState(
            progress: progress, tensors: stored.tensors.map { ($0.name, Tensor($0.tensor)) })
        },
        keep: { state in
          kept = state
          try SafeTensors.write(tensors: Checkpoint(state.tensors).tensors, metadata: [:], to: file)
        }, keepBest: { best.append(($1, $0)) })
      let tuning = FineTuning(untrained(), recipe: recipe, data: data, threads: 1)
      guard try tuning.run(keeper: keeper, stopAfter: 2) else { continue }
      #expect(tuning.progress.rows == whole.progress.rows)
      #expect(tuning.progress.problems == whole.progress.problems)
      for (a, b) in zip(tuning.currentWeights, whole.currentWeights) {
        #expect(a.name == b.name && a.tensor.floats() == b.tensor.floats(), "\(a.name)")
      }
      break
    }
    #expect(lives > 2)
    #expect(Set(whole.progress.problems.keys) == [4, 9])
    #expect(best.last?.epoch == whole.progress.bestEpoch)
  }

  @Test("images of weight 0 are never looked at, and held-out images never learned from") func zeroWeights()
    throws
  {
    let colors = Colors(24)
    var weights = [Float](repeating: 1, count: 24)
    for example in 0..<12 { weights[example] = 0 }
    var recipe = recipe(epochs: 1)
    recipe.trainedStages = nil
    let data = colors.data(weights: SampleWeights(weights), validation: [0, 20, 21])
    let tuning = FineTuning(untrained(), recipe: recipe, data: data, threads: 1)
    #expect(try tuning.run())
    #expect(tuning.progress.rows[0].images == 8)
    #expect(Set(colors.asked.all).isSubset(of: Set(12..<24)))
    #expect(colors.asked.all.count { $0 == 20 } == 1)
    #expect(tuning.progress.rows[0].validationTop1 != nil)
  }

  @Test("targets: weights, second classes, smoothing") func targets() {
    let weights = SampleWeights([2, 0.5, 1], secondLabels: [1, 2, 0], secondWeights: [0, 0.5, 1])
    let targets = weights.targets([0, 1, 2], labels: [0, 1, 2], classes: 3, smoothing: 0.3).floats()
    // 0.7 of each weight at its class, and 0.1 of the example's total at every class.
    let expected: [Float] = [1.6, 0.2, 0.2, 0.1, 0.45, 0.45, 0.9, 0.2, 0.9]
    #expect(zip(targets, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    let scaled = SampleWeights([4, 0, 2]).normalized()
    #expect(zip(scaled.weights, [4 / 3, 0, 2 / 3] as [Float]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test("mixing keeps the targets' sum and the pixels' range") func mixup() {
    let mixup = Mixup(count: 4, alpha: 0.4, seed: 5)
    #expect(mixup.share >= 0.5 && mixup.share <= 1)
    let targets = Tensor([1, 0, 0, 1, 0.5, 0.5, 0, 2] as [Float], shape: [4, 2])
    #expect(abs(mixup.targets(targets).sum().item - targets.sum().item) < 1e-6)
    let pixels = Tensor.arange(4 * 12).reshaped([4, 2, 2, 3]).to(.uint8)
    let mixed = mixup.pixels(pixels).ints()
    let partners = mixup.partners.ints()
    let plain = pixels.ints()
    for (place, value) in mixed.enumerated() {
      let other = plain[partners[place / 12] * 12 + place % 12]
      let exact = Double(plain[place]) * mixup.share + Double(other) * (1 - mixup.share)
      #expect(abs(Double(value) - exact) <= 0.51)
    }
    #expect(Mixup(count: 4, alpha: 0.4, seed: 5).share == mixup.share)
  }

  @Test("the moving average begins with what is there and follows") func averaging() {
    let value = Tensor([0] as [Float])
    let average = WeightAverage([("value", value)], decay: 0.5)
    value.fillInPlace(1)
    average.update(step: 0)
    // The first decay is 1/10.
    #expect(abs(average.tensors[0].tensor.item - 0.9) < 1e-6)
    average.update(step: 1000)
    #expect(abs(average.tensors[0].tensor.item - 0.95) < 1e-6)
  }
}
