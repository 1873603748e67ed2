/// Lets a number of requests per second through, and more at once after a pause.
struct TokenBucket: Sendable {
  let perSecond: Double
  let burst: Double
  private var level: Double
  private var last: ContinuousClock.Instant?

  init(perSecond: Double, burst: Double) {
    self.perSecond = perSecond
    self.burst = burst
    level = burst
  }

  /// Whether one more may pass now.
  mutating func take(at now: ContinuousClock.Instant = .now) -> Bool {
    if let last {
      let (seconds, attoseconds) = last.duration(to: now).components
      level = min(burst, level + perSecond * (Double(seconds) + Double(attoseconds) * 1e-18))
    }
    last = now
    guard level >= 1 else { return false }
    level -= 1
    return true
  }
}
