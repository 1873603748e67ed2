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
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHTTPClientHandlers()
          try pipeline.addHandler(NIOHTTPClientResponseAggregator(maxContentLength: 64 << 20))
          try pipeline.addHandler(Receiver(channel.eventLoop.makePromise()))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    let answer = try await channel.pipeline.handler(type: Receiver.self).map { $0.answer.futureResult }.get()
    var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: path)
    head.headers = HTTPHeaders([("Host", "127.0.0.1:\(port)"), ("Connection", "close")] + headers)
    if let body { head.headers.add(name: "Content-Length", value: "\(body.count)") }
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    if let body {
      channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
    }
    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    return try await answer.get()
  }

  private final class Receiver: ChannelInboundHandler, Sendable {
    typealias InboundIn = NIOHTTPClientResponseFull

    let answer: EventLoopPromise<Response>

    init(_ answer: EventLoopPromise<Response>) { self.answer = answer }

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
