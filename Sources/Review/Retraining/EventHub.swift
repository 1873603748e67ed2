import Foundation
import Hummingbird
import NIOCore

/// Tells all open pages what happens.
actor EventHub {
  private struct Listener {
    var session: String
    var stream: AsyncStream<ByteBuffer>.Continuation
  }

  private var listeners: [Int: Listener] = [:]
  private var next = 0
  private var hasNews = false
  /// Pages open at once, in all and of one session. A further page of a session takes the place of its oldest.
  static let maximumListeners = 200
  static let maximumOfSession = 10

  /// The events from now on, as server-sent events; nil if there are too many listeners.
  func listen(_ session: String) -> AsyncStream<ByteBuffer>? {
    let own = listeners.filter { $0.value.session == session }.keys.sorted()
    if own.count >= Self.maximumOfSession, let oldest = own.first {
      listeners.removeValue(forKey: oldest)?.stream.finish()
    }
    guard listeners.count < Self.maximumListeners else { return nil }
    let (stream, continuation) = AsyncStream.makeStream(
      of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(100))
    next += 1
    let id = next
    listeners[id] = Listener(session: session, stream: continuation)
    continuation.onTermination = { _ in Task { await self.forget(id) } }
    // Sent at once, so that the page knows that it listens.
    continuation.yield(ByteBuffer(string: ": welcome\n\n"))
    return stream
  }

  /// Ends the streams of a session.
  func hangUp(_ session: String) {
    for (id, listener) in listeners where listener.session == session {
      listeners[id] = nil
      listener.stream.finish()
    }
  }

  /// Ends all streams.
  func hangUp() {
    for listener in listeners.values { listener.stream.finish() }
    listeners = [:]
  }

  func send(_ event: String, _ content: some Encodable & Sendable) {
    guard let data = try? JSONEncoder().encode(content) else { return }
    let text = "event: \(event)\ndata: \(String(decoding: data, as: UTF8.self))\n\n"
    for listener in listeners.values { listener.stream.yield(ByteBuffer(string: text)) }
  }

  /// Notes that answers have changed; pages hear of it with the next beat, however many there were.
  func announce() { hasNews = true }

  /// Passes news on every second, and else keeps connections open, until the task is cancelled.
  func beat() async throws {
    for count in 1... {
      try await Task.sleep(for: .seconds(1))
      if hasNews {
        hasNews = false
        send("changed", true)
      } else if count % 15 == 0 {
        for listener in listeners.values { listener.stream.yield(ByteBuffer(string: ": beat\n\n")) }
      }
    }
  }

  private func forget(_ id: Int) { listeners[id] = nil }
}
