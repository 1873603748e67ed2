import Torch

/// Images with the states that they may be in, and what each source of evidence says of these: all that a ``NoiseModel``
/// reads. It grows with images, not with images × classes.
///
/// An image's *candidates* are its label, "none of them" in an open world, and the states that are likeliest by all
/// sources together. The other states, its *tail*, are kept as a few bundles of states that are about as likely as each
/// other. A bundle has a weight and for each source one log-probability, the mean over its states. So its sum over
/// states `Σ exp(Σ_k α_k · l_k)` is right for the α that it was made with, and its derivatives by α are. With few
/// states all are candidates and nothing is left out.
struct Candidates: Sendable {
  let pieces: [CandidatePiece]
  let labels: SoftLabels

  /// - Parameters:
  ///   - rows: The images, best in the order of their labels: sums by label need less memory then.
  ///   - exponents: α, by which states are compared.
  ///   - sources: Log-probabilities of all states of some images, `[n, E]` each.
  init(
    _ rows: [Int], _ labels: SoftLabels, exponents: [Double], limit: CandidateLimit,
    sources: @escaping @Sendable ([Int]) -> [Tensor]
  ) {
    self.labels = labels
    let ranges = Self.ranges(rows.count, states: labels.states)
    pieces = concurrentMap(over: ranges.count, threads: Candidates.threads, engineThreads: 1) { number in
      let own = Array(rows[ranges[number]])
      return withoutGradients {
        CandidatePiece(own, labels, sources: sources(own), exponents: exponents, limit: limit)
      }
    }
  }

  /// Pieces that may be worked at side by side: a dozen tables of a million numbers each.
  static var threads: Int { Engine.threads(each: 12 * 4 << 20) }

  /// Pieces of images of which a table of all states is no large piece of memory.
  static func ranges(_ count: Int, states: Int) -> [Range<Int>] {
    let size = max(64, min(4096, (1 << 20) / max(1, states)))
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }

  var count: Int { pieces.reduce(0) { $0 + $1.rows.count } }

  /// The results of `body` for each piece; pieces are worked at side by side.
  func map<Value: Sendable>(_ body: @escaping @Sendable (CandidatePiece) -> Value) -> [Value] {
    concurrentMap(over: pieces.count, threads: Candidates.threads, engineThreads: 1) { number in
      withoutGradients { body(pieces[number]) }
    }
  }
}

/// How many candidates an image has.
struct CandidateLimit: Sendable, Hashable {
  /// With this many states or fewer all are candidates.
  var states: Int
  /// Candidates of an image otherwise.
  var candidates: Int

  /// Beyond these, results do not change: docs/scale.md has the figures.
  static let usual = CandidateLimit(states: 32, candidates: 24)
  /// Every state is a candidate.
  static let none = CandidateLimit(states: .max, candidates: .max)
}

/// Some images of ``Candidates``.
struct CandidatePiece: Sendable {
  /// The images' places among all.
  let rows: [Int]
  /// Their noisy labels.
  let labels: [Int]
  /// The candidates, `[n, m]`, int32; the image's label is the first.
  let states: Tensor
  /// By source what it says of candidates and bundles: `[n, m + B]`, float16.
  let sources: [Tensor]
  /// Logarithms of the bundles' weights, `[n, B]`; nil without a tail.
  let weights: Tensor?
  /// The share of each image's tail in ``SoftLabels/spread``; empty without a tail.
  let tailShares: [Float]

  /// By how much less likely than the last candidate states of a bundle are at most, as logarithms; the last bundle takes
  /// all others.
  private static let bundles: [Float] = [1, 2.5, 5, .infinity]
  /// Less likely is impossible, in half precision too.
  private static let least = -1000.0

  /// m
  var candidates: Int { states.size(1) }
  /// m + B
  var width: Int { sources[0].size(1) }

  init(
    _ rows: [Int], _ all: SoftLabels, sources: [Tensor], exponents: [Double], limit: CandidateLimit
  ) {
    precondition(sources.count == exponents.count && !sources.isEmpty, "a source has no exponent")
    self.rows = rows
    labels = rows.map { all.labels[$0] }
    let total = all.states
    let scores = sources[0] * exponents[0]
    for (source, exponent) in zip(sources, exponents).dropFirst() {
      scores.addInPlace(source, scale: exponent)
    }
    // The states that must be among them come first.
    let own = Tensor(labels).unsqueezed(dim: 1)
    let forced = scores.scatter(dim: 1, own, .full([rows.count, 1], 1e9))
    if total > all.classes {
      forced.narrow(dim: 1, start: total - 1, count: 1).fillInPlace(1e8)
    }
    let chosen = forced.topK(
      total <= limit.states ? total : min(total, limit.candidates)
    ).indices
    states = chosen.to(.int32).contiguous()
    let kept = sources.map { $0.gather(dim: 1, chosen).clamped(min: Self.least) }
    guard chosen.size(1) < total else {
      self.sources = kept.map { $0.to(.float16).contiguous() }
      weights = nil
      tailShares = []
      return
    }
    let tail = Self.tail(
      sources, exponents, rest: scores.scatter(dim: 1, chosen, .full(chosen.shape, -.infinity)))
    self.sources = zip(kept, tail.sources).map {
      Tensor.concatenate([$0, $1], dim: 1).to(.float16).contiguous()
    }
    weights = tail.weights
    let spread = Tensor(all.spread).indexSelect(chosen.reshaped([-1])).reshaped(chosen.shape)
    tailShares = (1 - spread.sum(dim: 1)).clamped(min: 1e-6).floats()
  }

  /// The likeliest candidate of each image.
  ///
  /// - Parameter beliefs: `[n, m + B]`
  func likeliest(_ beliefs: Tensor) -> [Int] {
    let places = beliefs.narrow(dim: 1, start: 0, count: candidates).argmax(dim: 1).unsqueezed(dim: 1)
    return states.to(.int64).gather(dim: 1, places).squeezed(dim: 1).ints()
  }

  /// Beliefs in the likeliest states, ready to be kept.
  ///
  /// - Parameter beliefs: `[n, m + B]`
  func votes(_ beliefs: Tensor) -> ClassVotes.Builder {
    let top = beliefs.narrow(dim: 1, start: 0, count: candidates).topK(min(ClassVotes.most, candidates))
    let values = top.values.floats()
    let known = states.to(.int64).gather(dim: 1, top.indices).ints()
    let width = top.values.size(1)
    var votes = ClassVotes.Builder()
    for row in rows.indices {
      for place in row * width..<(row + 1) * width where values[place] >= ClassVotes.least {
        votes.append(known[place], values[place])
      }
      votes.endImage()
    }
    return votes
  }

  /// The states that are no candidates, in bundles.
  ///
  /// - Parameter rest: Their scores, and −∞ at candidates: `[n, E]`.
  private static func tail(
    _ sources: [Tensor], _ exponents: [Double], rest: Tensor
  ) -> (sources: [Tensor], weights: Tensor) {
    let count = rest.size(0)
    let total = rest.size(1)
    let bundles = bundles.count
    let most = rest.amax(dim: 1, keepDim: true)
    let behind = (most - rest).contiguous()
    let shares = (rest - most).exp().contiguous()
    let masses = Tensor.zeros([count, bundles])
    let sums = sources.map { _ in Tensor.zeros([count, bundles]) }
    func floats(_ tensor: Tensor, _ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
      tensor.withUnsafeMutableBytes { body($0.bindMemory(to: Float.self)) }
    }
    floats(masses) { masses in
      behind.withUnsafeBytes { behind in
        shares.withUnsafeBytes { shares in
          let behind = behind.bindMemory(to: Float.self)
          let shares = shares.bindMemory(to: Float.self)
          let place = UnsafeMutableBufferPointer<Int32>.allocate(capacity: count * total)
          defer { place.deallocate() }
          for row in 0..<count {
            for state in row * total..<(row + 1) * total {
              let gap = behind[state]
              let bundle =
                (gap > Self.bundles[0] ? 1 : 0) + (gap > Self.bundles[1] ? 1 : 0)
                + (gap > Self.bundles[2] ? 1 : 0)
              place[state] = Int32(row * bundles + bundle)
              masses[row * bundles + bundle] += shares[state]
            }
          }
          for (source, sum) in zip(sources, sums) {
            let source = source.contiguous()
            source.withUnsafeBytes { source in
              let source = source.bindMemory(to: Float.self)
              floats(sum) { sum in
                for state in 0..<count * total { sum[Int(place[state])] += shares[state] * source[state] }
              }
            }
          }
        }
      }
    }
    let means = sums.map { ($0 / masses.clamped(min: 1e-30)).clamped(min: least) }
    var weights = masses.clamped(min: 1e-30).log() + most
    for (mean, exponent) in zip(means, exponents) { weights = weights - mean * exponent }
    // A bundle of nothing.
    return (means, weights.masked(masses .< 1e-29, with: -1e6).contiguous())
  }
}
