import Foundation
import Hummingbird
import NIOCore

/// Tells all open pages what happens.
actor EventHub {
  private var listeners: [Int: AsyncStream<ByteBuffer>.Continuation] = [:]
  private var next = 0
  private var hasNews = false
  /// Pages open at once; further ones have to ask.
  static let maximumListeners = 200

  /// The events from now on, as server-sent events; nil if there are too many listeners.
  func listen() -> AsyncStream<ByteBuffer>? {
    guard listeners.count < Self.maximumListeners else { return nil }
    let (stream, continuation) = AsyncStream.makeStream(
      of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(100))
    next += 1
    let id = next
    listeners[id] = continuation
    continuation.onTermination = { _ in Task { await self.forget(id) } }
    // Sent at once, so that the page knows that it listens.
    continuation.yield(ByteBuffer(string: ": welcome\n\n"))
    return stream
  }

  func send(_ event: String, _ content: some Encodable & Sendable) {
    guard let data = try? JSONEncoder().encode(content) else { return }
    let text = "event: \(event)\ndata: \(String(decoding: data, as: UTF8.self))\n\n"
    for listener in listeners.values { listener.yield(ByteBuffer(string: text)) }
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
        for listener in listeners.values { listener.yield(ByteBuffer(string: ": beat\n\n")) }
      }
    }
  }

  private func forget(_ id: Int) { listeners[id] = nil }
}
