import Foundation

/// When a server is asked again.
struct RetryPolicy: Sendable {
  var firstPause: Duration
  var longestPause: Duration

  /// Answers that may be another a moment later.
  static func isTemporary(status: UInt) -> Bool {
    status == 408 || status == 425 || status == 429 || status >= 500
  }

  /// How long to wait after this many failed attempts: at random within a span that doubles each time, so that downloads
  /// that failed together do not come back together ("full jitter").
  func pause(after attempts: Int) -> Duration {
    let span = firstPause * (1 << min(attempts - 1, 16))
    return min(span, longestPause) * Double.random(in: 0.5...1.5)
  }

  /// The pause that the header `Retry-After` asks for: seconds, or a date.
  static func retryAfter(_ value: String?, now: Date = .now) -> Duration? {
    guard let value = value?.trimmingCharacters(in: .whitespaces) else { return nil }
    if let seconds = Int(value) { return .seconds(max(0, min(seconds, 1 << 30))) }
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: value).map { .seconds(max(0, $0.timeIntervalSince(now))) }
  }
}
