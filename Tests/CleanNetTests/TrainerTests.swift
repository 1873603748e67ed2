import Synchronization
import Testing
import Torch

@testable import CleanNet

@Suite("Training and judging") struct TrainerTests {
  private func trained(_ data: NoisyClusters, _ configuration: Configuration) throws -> CleanNetModel {
    try Training(data.trainingSet(), configuration: configuration, threads: 2).run().model
  }

  /// How well probabilities rank right before wrong labels, among those of some classes.
  private func ranking(_ data: NoisyClusters, _ judgements: Judgements, _ classes: Set<Int>) -> Double {
    func values(_ right: Bool) -> [Double] {
      data.labels.indices.filter {
        classes.contains(data.labels[$0]) && (data.labels[$0] == data.truth[$0]) == right
      }.map { Double(judgements.probability[$0]) }
    }
    return rankingProbability(right: values(true), wrong: values(false))
  }

  @Test("training that stops and goes on gives the very same network", arguments: Objective.allCases)
  func resume(objective: Objective) throws {
    let data = NoisyClusters()
    var configuration = data.configuration(objective, steps: 90)
    configuration.components = nil
    func trainer() -> Trainer {
      Trainer(data.trainingSet(), references: data.references(configuration), configuration: configuration)
    }
    let whole = trainer()
    while !whole.isDone { whole.advance() }
    let killed = trainer()
    while killed.step < 37 { killed.advance() }
    let other = trainer()
    try other.restore(killed.checkpoint)
    while !other.isDone { other.advance() }
    for (a, b) in zip(whole.trained.parameters, other.trained.parameters) {
      #expect(a.tensor.floats() == b.tensor.floats(), "\(a.name)")
    }
  }

  @Test("all of training, interrupted in every fold, gives the very same judgements")
  func resumeAll() throws {
    let data = NoisyClusters()
    let configuration = data.configuration(.extended, steps: 60)
    let kept = Mutex<[Int: TrainerCheckpoint]>([:])
    let keeper = Training.Keeper(
      interval: 25, restore: { fold in kept.withLock { $0[fold] } },
      keep: { fold, state in kept.withLock { $0[fold] = $0[fold] ?? state } })
    func judge() throws -> [Float] {
      let training = Training(data.trainingSet(), configuration: configuration, threads: 2)
      return try training.run(keeper: keeper).model.judge(data.trainingSet(), threads: 2).probability
    }
    let whole = try judge()
    #expect(kept.withLock { $0.count } == configuration.folds && kept.withLock { $0[0]?.progress.step } == 25)
    #expect(try judge() == whole)
  }

  @Test("the extended objective finds wrong labels of classes that nobody verified")
  func transfer() throws {
    let data = NoisyClusters()
    let judgements = try trained(data, data.configuration(.extended)).judge(data.trainingSet(), threads: 2)
    #expect(ranking(data, judgements, [1, 3, 4, 5]) > 0.98)
    let decided = data.labels.indices.count { judgements.isRight($0) == (data.labels[$0] == data.truth[$0]) }
    #expect(Double(decided) > 0.95 * Double(data.labels.count))
    let wrong = data.labels.indices.filter { data.labels[$0] != data.truth[$0] }
    let suggested = wrong.count { judgements.suggestedClass[$0] == data.truth[$0] }
    #expect(Double(suggested) > 0.9 * Double(wrong.count))
  }

  @Test("the paper's objective finds wrong labels of the verified classes")
  func paper() throws {
    let data = NoisyClusters()
    let model = try trained(data, data.configuration(.paper, steps: 400))
    let judgements = model.judge(data.trainingSet(), threads: 1)
    #expect(ranking(data, judgements, [0, 2]) > 0.9)
    for image in data.labels.indices {
      #expect(judgements.softWeight[image] == max(0, judgements.cosine[image]))
      #expect(judgements.isRight(image) == (judgements.cosine[image] >= judgements.threshold[image]))
    }
  }

  @Test(
    "images without a label are not judged and change nothing for the others", arguments: Objective.allCases)
  func absent(objective: Objective) throws {
    // Classes overlap: where every probability is 0 or 1, an image too many would not show.
    let data = NoisyClusters(perClass: 20, deviation: 2)
    var configuration = data.configuration(objective, steps: 20)
    configuration.training.bfloat16 = false
    let model = try trained(data, configuration)
    var labels = data.labels
    let absent = labels.indices.filter { $0 % 7 == 0 }
    for image in absent { labels[image] = -1 }
    let set = TrainingSet(
      sound: data.features, labels: labels, classes: data.classes,
      verifications: data.verified(classes: [0, 2], perClass: 10))
    let judgements = model.judge(set, threads: 2)
    for image in absent {
      #expect(judgements.probability[image].isNaN && judgements.isRight(image) == nil)
      #expect(judgements.suggestedClass[image] == -1)
    }
    // As if they had never been there.
    let kept = labels.indices.filter { labels[$0] >= 0 }
    let places = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
    let without = model.judge(
      TrainingSet(
        sound: DenseFeatures(data.features.rows(kept)), labels: kept.map { labels[$0] },
        classes: data.classes,
        verifications: set.verifications.compactMap { label in
          places[label.image].map { VerificationLabel(image: $0, isRight: label.isRight) }
        }), threads: 2)
    let undecided = kept.count { (0.05...0.95).contains(judgements.probability[$0]) }
    #expect(undecided > kept.count / 5, "\(undecided)")
    for (row, image) in kept.enumerated() {
      // Up to rounding: matrices of other sizes are added up in another order.
      #expect(abs(without.probability[row] - judgements.probability[image]) < 1e-4)
      #expect(abs(without.cosine[row] - judgements.cosine[image]) < 1e-5)
    }
  }

  @Test("no network has learned from the images that it judges")
  func folds() throws {
    // Features that say nothing of the labels: only images that a network was trained on lie nearer to their labels.
    let labels = (0..<400).map { $0 % 5 }
    let features = DenseFeatures(Generator(seed: 7).normal([labels.count, 32]))
    var configuration = Configuration.extended(suitedTo: features)
    configuration.setSteps(150)
    let set = TrainingSet(sound: features, labels: labels, classes: 5, verifications: [])
    let training = Training(set, configuration: configuration, threads: 2)
    let space = try #require(training.space)
    let folds = space.foldOfRows(configuration.folds)
    let scorers = try training.run().model.scorers
    #expect(scorers.count == configuration.folds && configuration.folds > 1)
    for (fold, scorer) in scorers.enumerated() {
      let cosines = scorer.cosines(space.features.rows(0..<labels.count))
      let own = Tensor(space.images.map { labels[$0] }).unsqueezed(dim: 1)
      let surplus = (cosines.gather(dim: 1, own).squeezed(dim: 1) - cosines.mean(dim: 1)).doubles()
      func mean(judged: Bool) -> Double {
        let rows = surplus.indices.filter { (folds[$0] == fold) == judged }
        return rows.reduce(0) { $0 + surplus[$1] } / Double(rows.count)
      }
      #expect(mean(judged: false) > mean(judged: true) + 0.05, "\(mean(judged: false)) \(mean(judged: true))")
    }
  }

  @Test("cosines do not depend on the batches they are computed in")
  func batches() throws {
    let data = NoisyClusters(perClass: 11)
    let model = try trained(data, data.configuration(.paper, steps: 20))
    let whole = model.scorers[0].score(data.features, labels: data.labels)
    for batch in [1, 7, 64] {
      let pieces = model.scorers[0].score(data.features, labels: data.labels, batch: batch)
      for image in data.labels.indices {
        #expect(abs(pieces.cosine[image] - whole.cosine[image]) < 1e-5)
        #expect(pieces.nearestClass[image] == whole.nearestClass[image])
      }
    }
  }

  @Test("a model comes back from its checkpoint as it was", arguments: Objective.allCases)
  func roundTrip(objective: Objective) throws {
    let data = NoisyClusters(perClass: 20)
    let model = try trained(data, data.configuration(objective, steps: 10))
    let back = try CleanNetModel(try model.checkpoint())
    #expect(back.configuration == model.configuration && back.decision == model.decision)
    let set = data.trainingSet()
    #expect(back.judge(set, threads: 1).probability == model.judge(set, threads: 1).probability)
    var spoiled = try model.checkpoint()
    spoiled.metadata = [:]
    #expect(throws: ModelError.noModel) { _ = try CleanNetModel(spoiled) }
    let lacking = Checkpoint(metadata: try model.checkpoint().metadata)
    #expect(throws: ParameterError.self) { _ = try CleanNetModel(lacking) }
  }

  @Test("validation images: a share of every class's right and wrong ones, disjoint, none lost")
  func split() {
    let data = NoisyClusters()
    let set = data.trainingSet(verifiedClasses: [0, 1, 2], perClass: 40)
    let split = set.splitVerifications(share: 0.25, seed: 3)
    let training = Set(split.training)
    let validation = Set(split.validation)
    #expect(training.isDisjoint(with: validation))
    #expect(training.union(validation) == Set(set.verifications))
    for label in 0...2 {
      for right in [true, false] {
        func count(_ labels: [VerificationLabel]) -> Int {
          labels.count { data.labels[$0.image] == label && $0.isRight == right }
        }
        let all = count(set.verifications)
        #expect(abs(Double(count(split.validation)) - 0.25 * Double(all)) < 1)
      }
    }
    #expect(Set(set.splitVerifications(share: 0.25, seed: 4).validation) != validation)
  }

  @Test("batches: verified images in rounds without repeats, unverified ones evenly over classes")
  func sampler() {
    let verified = (0..<10).map { VerificationLabel(image: $0, isRight: true) }
    let members = [Array(100..<102), Array(200..<290), [], [300]]
    var sampler = BatchSampler(verified: verified, unverified: members, sizes: (5, 300), seed: 1)
    var round = Set<Int>()
    var counts = [Int: Int]()
    for _ in 0..<2 {
      let batch = sampler.next()
      round.formUnion(batch.verified.map(\.image))
      for image in batch.unverified { counts[image / 100, default: 0] += 1 }
    }
    #expect(round == Set(0..<10))
    for label in [1, 2, 3] { #expect(abs(Double(counts[label] ?? 0) - 200) < 60) }
  }
}
