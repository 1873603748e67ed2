import Torch

// MARK: Sources

extension EvidenceFinder {
  func givenSources(_ rows: [Int]) -> [Tensor] {
    guard !given.isEmpty else { return [] }
    let images = Tensor(rows.map { space.images[$0] })
    return given.map { $0.indexSelect(images).clamped(min: 1e-6).log().logSoftmax(dim: 1) }
  }

  /// - Parameters:
  ///   - beliefs: About the true classes.
  ///   - voice: Networks, if there are any.
  func closedSources(_ basis: Basis, _ beliefs: ClassVotes, _ voice: NetworkVoice? = nil) -> Sources {
    let refined =
      parts.contains(.discriminant)
      ? space.discriminant.fitted(beliefs, classes: classes, shrinkage: basis.shrinkage) : nil
    let near = parts.contains(.neighbors) ? space.neighbors(beliefs) : nil
    let first = basis.first
    return { rows in
      let own = [refined?(rows), near?.logShares(rows), first?(rows)].compactMap(\.self)
      return own + givenSources(rows) + (voice.map { [$0.source(rows, isOpen: false)] } ?? [])
    }
  }

  func plainSources(_ basis: Basis) -> Sources {
    let near = parts.contains(.neighbors) ? space.neighbors(noisy) : nil
    let first = basis.first
    return { rows in [first?(rows), near?.logShares(rows)].compactMap(\.self) + givenSources(rows) }
  }

  /// Strays have no common mean: only neighbors recognize them, and the other sources divide what is left.
  func openSources(_ basis: Basis, _ beliefs: ClassVotes, _ voice: NetworkVoice? = nil) -> Sources {
    let refined =
      parts.contains(.discriminant)
      ? space.discriminant.fitted(beliefs, classes: classes, shrinkage: basis.shrinkage) : nil
    let near = space.neighbors(beliefs)
    let first = basis.first
    let isSource = parts.contains(.neighbors)
    return { rows in
      let shares = near.logShares(rows)
      func opened(_ source: Tensor) -> Tensor { Self.opened(source, near: shares) }
      let own = [refined.map { opened($0(rows)) }, isSource ? shares : nil, first.map { opened($0(rows)) }]
      return own.compactMap(\.self) + givenSources(rows).map(opened)
        + (voice.map { [$0.source(rows, isOpen: true)] } ?? [])
    }
  }

  /// A source that knows the classes only, `[n, C]`, in a world where an image may belong to none: how likely that is,
  /// neighbors say, `[n, C + 1]`.
  static func opened(_ source: Tensor, near: Tensor) -> Tensor {
    let none = near.narrow(dim: 1, start: source.size(1), count: 1)
    // Clamped, because in float32 the share may round to 1.
    let known = (1 - none.exp()).clamped(min: 1e-6).log()
    return .concatenate([source + known, none], dim: 1)
  }

  /// The networks as a source: cosines `[n, C]` → `[n, C]`, or `[n, C + 1]` in an open world.
  static func network(_ cosines: Tensor, temperature: Double, isOpen: Bool) -> Tensor {
    guard isOpen else { return (cosines / temperature).logSoftmax(dim: 1) }
    let none = Tensor.full([cosines.size(0), 1], LabelEvidence.noneCosine)
    return (Tensor.concatenate([cosines, none], dim: 1) / temperature).logSoftmax(dim: 1)
  }
}

// MARK: New images

extension EvidenceFinder {
  /// Sources as images that come later see them: no longer cross-fitted, because those images took no part.
  struct KeptSources: Sendable {
    /// From the noisy labels alone.
    var first: LinearClassifier?
    var plainVotes: ClassVotes?
    /// From beliefs.
    var closed: LinearClassifier?
    var closedVotes: ClassVotes?
    var open: LinearClassifier?
    var openVotes: ClassVotes?
  }

  func keptSources(_ basis: Basis) -> KeptSources {
    var kept = KeptSources()
    let noisy = noisy
    if parts.contains(.discriminant) {
      func classifier(_ beliefs: ClassVotes) -> LinearClassifier {
        space.discriminant.classifier(beliefs, classes: classes, shrinkage: basis.shrinkage)
      }
      kept.first = classifier(noisy)
      kept.closed = classifier(basis.closed.beliefs)
      kept.open = basis.open.map { classifier($0.beliefs) }
    }
    if parts.contains(.neighbors) {
      kept.plainVotes = space.neighbors.distinctVotes(noisy)
      kept.closedVotes = space.neighbors.distinctVotes(basis.closed.beliefs)
      kept.openVotes = basis.open.map { space.neighbors.distinctVotes($0.beliefs) }
    }
    return kept
  }
}
