import Workspace

/// Which images are in whose hands, so that two reviewers do not look at the same at once, and why each was handed out.
struct Leases: Sendable {
  private struct Lease {
    var session: String
    var end: ContinuousClock.Instant
  }

  /// An image in one browser's hands.
  private struct Holding: Hashable {
    var sample: Int
    var session: String
  }

  private struct Reason {
    var pick: Desk.Pick
    var end: ContinuousClock.Instant
  }

  /// An image that was shown and not answered is offered to others after this time.
  static let duration = Duration.seconds(600)
  /// How long an answer may take, or wait in a browser without a connection, before it is forgotten why it was asked for.
  static let memory = Duration.seconds(2 * 86_400)
  private static let most = 200_000
  private var leases: [Int: Lease] = [:]
  private var reasons: [Holding: Reason] = [:]

  /// Whether somebody else has the image.
  func isElsewhere(_ sample: Int, than session: String, at now: ContinuousClock.Instant = .now) -> Bool {
    guard let lease = leases[sample] else { return false }
    return lease.session != session && lease.end > now
  }

  mutating func take(_ picks: [Desk.Pick], for session: String, at now: ContinuousClock.Instant = .now) {
    if leases.count > Self.most { leases = leases.filter { $0.value.end > now } }
    if reasons.count > Self.most {
      reasons = reasons.filter { $0.value.end > now + Self.memory - Self.duration }
    }
    for pick in picks {
      leases[pick.sample] = Lease(session: session, end: now + Self.duration)
      reasons[Holding(sample: pick.sample, session: session)] = Reason(
        pick: pick, end: now + Self.memory)
    }
  }

  /// As what an image was handed to a session last; nil: it was not.
  func pick(_ sample: Int, of session: String) -> Desk.Pick? {
    reasons[Holding(sample: sample, session: session)]?.pick
  }

  /// The images are free for others. Why they were handed out stays known: answers may be taken back and given again.
  mutating func release(_ samples: some Sequence<Int>) {
    for sample in samples { leases[sample] = nil }
  }
}
