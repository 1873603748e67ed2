import Hummingbird
import NIOCore
import NIOHTTPTypes

/// Gives a connection so long for each thing it does, and closes it if that is not enough: half a request, a body without
/// end or an answer that nobody reads hold nothing for ever.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  struct Limits: Sendable {
    /// From the opening, or from a request's first byte, to its last.
    var request = TimeAmount.seconds(20)
    /// Between requests.
    var idle = TimeAmount.seconds(120)
    /// How long the other side may leave unread what it is sent.
    var reading = TimeAmount.seconds(60)
    /// A request's body, with room for an answer that refuses it.
    var body = 2 * ReviewConfiguration.maximumBody
  }

  private let connections: Connections
  private let limits: Limits
  private var deadline: Scheduled<Void>?
  private var stalling: Scheduled<Void>?
  /// Bytes of the present request's body.
  private var received = 0
  /// Requests that are not answered yet.
  private var open = 0
  /// Whether a request has begun and not ended; it may be answered before that, as one that is refused.
  private var isReceiving = false

  init(_ connections: Connections, _ limits: Limits) {
    self.connections = connections
    self.limits = limits
  }

  func handlerAdded(context: ChannelHandlerContext) {
    connections.open(context.channel)
    expect(context, within: limits.request)
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    stalling?.cancel()
    connections.close(context.channel)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      received = 0
      open += 1
      isReceiving = true
      connections.set(context.channel, .receiving)
      expect(context, within: limits.request)
    case .body(let bytes):
      received += bytes.readableBytes
      guard received <= limits.body else { return context.close(promise: nil) }
    case .end:
      isReceiving = false
      deadline?.cancel()
      if open > 0 { connections.set(context.channel, .answering) } else { rest(context) }
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .end = unwrapOutboundIn(data) {
      open -= 1
      // The rest of a request that is answered already must come in time, too.
      if open == 0, !isReceiving { rest(context) }
    }
    context.write(data, promise: promise)
  }

  private func rest(_ context: ChannelHandlerContext) {
    connections.set(context.channel, .idle)
    expect(context, within: limits.idle)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    stalling?.cancel()
    stalling = context.channel.isWritable ? nil : closing(context, after: limits.reading)
    context.fireChannelWritabilityChanged()
  }

  private func expect(_ context: ChannelHandlerContext, within time: TimeAmount) {
    deadline?.cancel()
    deadline = closing(context, after: time)
  }

  private func closing(_ context: ChannelHandlerContext, after time: TimeAmount) -> Scheduled<Void> {
    let channel = context.channel
    return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
  }
}
