import Foundation

/// How fast people answer, over the last minutes.
struct Pace: Sendable {
  private var times: [String: [Date]] = [:]
  private static let span: TimeInterval = 300
  private static let most = 4000

  mutating func add(_ count: Int, by person: String, at now: Date = .now) {
    var recent = (times[person] ?? []).filter { now.timeIntervalSince($0) < Self.span }
    recent.append(contentsOf: repeatElement(now, count: count))
    times[person] = Array(recent.suffix(Self.most))
  }

  /// Answers per minute; nil before there are two moments to measure between.
  func perMinute(of person: String, at now: Date = .now) -> Double? {
    let recent = (times[person] ?? []).filter { now.timeIntervalSince($0) < Self.span }
    guard let first = recent.first, let last = recent.last, last > first else { return nil }
    // The answers of the first moment were looked at before it.
    let after = recent.count { $0 > first }
    return Double(after) / max(last.timeIntervalSince(first), 1) * 60
  }
}
