import Torch

/// Draws the images of each step: verified ones in shuffled rounds, unverified ones class-uniformly.
struct BatchSampler: Sendable {
  private let verified: [VerificationLabel]
  /// Per class its unverified images; classes without any are left out.
  private let unverified: [[Int]]
  private let sizes: (verified: Int, unverified: Int)
  private var random: SplitMix64
  private var order: [Int] = []
  private var position = 0

  /// The part of a sampler's state that a checkpoint keeps.
  struct State: Codable, Hashable, Sendable {
    var random: SplitMix64
    var order: [Int]
    var position: Int
  }

  init(
    verified: [VerificationLabel], unverified: [[Int]], sizes: (verified: Int, unverified: Int), seed: UInt64
  ) {
    self.verified = verified
    self.unverified = unverified.filter { !$0.isEmpty }
    self.sizes = sizes
    random = SplitMix64(seed: seed)
  }

  var state: State {
    get { State(random: random, order: order, position: position) }
    set {
      random = newValue.random
      order = newValue.order
      position = newValue.position
    }
  }

  /// The next batch: the verified images first.
  mutating func next() -> (verified: [VerificationLabel], unverified: [Int]) {
    var drawn: [VerificationLabel] = []
    for _ in 0..<(verified.isEmpty ? 0 : sizes.verified) {
      if position == order.count {
        order = Array(verified.indices).shuffled(using: &random)
        position = 0
      }
      drawn.append(verified[order[position]])
      position += 1
    }
    var others: [Int] = []
    for _ in 0..<(unverified.isEmpty ? 0 : sizes.unverified) {
      let members = unverified[Int.random(in: 0..<unverified.count, using: &random)]
      others.append(members[Int.random(in: 0..<members.count, using: &random)])
    }
    return (drawn, others)
  }

  /// The classes of a batch and others drawn at random, `count` in all if there are this many; ascending.
  mutating func classes(of labels: [Int], among classes: [Int], count: Int) -> [Int] {
    guard classes.count > count else { return classes }
    var chosen = Set(labels)
    while chosen.count < count { chosen.insert(classes[Int.random(in: 0..<classes.count, using: &random)]) }
    return chosen.sorted()
  }
}
