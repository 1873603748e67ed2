import Foundation
import NIOCore
import Synchronization

/// The connections that are open. There is always room for one more: where there are many, the one that deserves it least
/// is closed.
final class Connections: Sendable {
  /// The phase of a connection; the later ones deserve more.
  enum Phase: Int, Comparable, Sendable {
    /// It has never sent a whole request.
    case silent
    /// A request is on its way.
    case receiving
    /// It waits for the next request.
    case idle
    /// A request is being answered.
    case answering

    static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
  }

  private struct Entry {
    var phase: Phase
    var since: ContinuousClock.Instant
    let channel: any Channel
  }

  private let limit: Int
  private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

  init(limit: Int) { self.limit = limit }

  var count: Int { entries.withLock { $0.count } }

  /// A new connection; closes another if there are too many.
  func open(_ channel: any Channel) {
    let victim: (any Channel)? = entries.withLock { entries in
      defer { entries[ObjectIdentifier(channel)] = Entry(phase: .silent, since: .now, channel: channel) }
      guard entries.count >= limit else { return nil }
      return entries.values.min { ($0.phase, $0.since) < ($1.phase, $1.since) }?.channel
    }
    victim?.close(promise: nil)
  }

  func set(_ channel: any Channel, _ phase: Phase) {
    entries.withLock { entries in
      entries[ObjectIdentifier(channel)]?.phase = phase
      entries[ObjectIdentifier(channel)]?.since = .now
    }
  }

  func close(_ channel: any Channel) {
    entries.withLock { $0[ObjectIdentifier(channel)] = nil }
  }

  /// How many connections this process can hold beside the files that it needs; raises the system's soft limit first.
  static func affordable() -> Int {
    var limits = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else { return 256 }
    if limits.rlim_cur < min(limits.rlim_max, wanted) {
      var raised = limits
      raised.rlim_cur = min(limits.rlim_max, wanted)
      if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limits = raised }
    }
    return max(64, min(maximum, Int(clamping: limits.rlim_cur) - reserve))
  }

  /// Open files: for images, the database, libraries; connections at most; and both together.
  private static let reserve = 256
  private static let maximum = 2000
  private static let wanted: UInt = 4096
}
