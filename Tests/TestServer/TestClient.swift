import NIOCore
import NIOHTTP1
import NIOPosix

/// A web client for servers on this machine: one connection per request.
public enum TestClient {
  public struct Response: Sendable {
    public let status: Int
    public let headers: [(String, String)]
    public let body: [UInt8]

    /// The first header of a name, in any case.
    public func header(_ name: String) -> String? {
      headers.first { $0.0.lowercased() == name.lowercased() }?.1
    }
  }

  /// - Parameter path: With what follows a question mark.
  /// - Throws: If nobody listens, or the connection ends too soon.
  public static func send(
    _ method: String, port: Int, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil
  ) async throws -> Response {
    var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: path)
    head.headers = HTTPHeaders([("Host", "127.0.0.1:\(port)"), ("Connection", "close")] + headers)
    if let body { head.headers.add(name: "Content-Length", value: "\(body.count)") }
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let exchange = Exchange(head, body, loop.makePromise(of: Response.self))
    do {
      _ = try await ClientBootstrap(group: loop)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHTTPClientHandlers()
            try pipeline.addHandler(NIOHTTPClientResponseAggregator(maxContentLength: 64 << 20))
            try pipeline.addHandler(exchange)
          }
        }
        .connect(host: "127.0.0.1", port: port).get()
    } catch {
      exchange.answer.fail(error)
      throw error
    }
    return try await exchange.answer.futureResult.get()
  }

  /// Sends its request as soon as somebody listens: on a busy machine a task would come so late that the server gives
  /// the silent connection up.
  private final class Exchange: ChannelInboundHandler, Sendable {
    typealias InboundIn = NIOHTTPClientResponseFull
    typealias OutboundOut = HTTPClientRequestPart

    let head: HTTPRequestHead
    let body: [UInt8]?
    let answer: EventLoopPromise<Response>

    init(_ head: HTTPRequestHead, _ body: [UInt8]?, _ answer: EventLoopPromise<Response>) {
      self.head = head
      self.body = body
      self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      if let body {
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
      }
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let full = unwrapInboundIn(data)
      answer.succeed(
        Response(
          status: Int(full.head.status.code), headers: full.head.headers.map { ($0.name, $0.value) },
          body: full.body.map { Array($0.readableBytesView) } ?? []))
      context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      answer.fail(error)
      context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { answer.fail(ChannelError.eof) }
  }
}
