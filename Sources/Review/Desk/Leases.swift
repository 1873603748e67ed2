/// Which images are in whose hands, so that two reviewers do not look at the same at once.
struct Leases: Sendable {
  private struct Lease {
    var session: String
    var end: ContinuousClock.Instant
  }

  /// An image that was shown and not answered is offered to others after this time.
  static let duration = Duration.seconds(600)
  private var leases: [Int: Lease] = [:]

  /// Whether somebody else has the image.
  func isElsewhere(_ sample: Int, than session: String, at now: ContinuousClock.Instant = .now) -> Bool {
    guard let lease = leases[sample] else { return false }
    return lease.session != session && lease.end > now
  }

  mutating func take(_ samples: [Int], for session: String, at now: ContinuousClock.Instant = .now) {
    if leases.count > 100_000 { leases = leases.filter { $0.value.end > now } }
    for sample in samples { leases[sample] = Lease(session: session, end: now + Self.duration) }
  }

  mutating func release(_ samples: some Sequence<Int>) {
    for sample in samples { leases[sample] = nil }
  }
}
