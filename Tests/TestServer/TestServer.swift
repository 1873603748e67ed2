import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A web server on a free port of this machine, which answers as a test wants, however busy the other tests are.
public final class TestServer: Sendable {
  public struct Answer: Sendable {
    public var status = 200
    public var headers: [(String, String)] = [("Content-Type", "image/jpeg")]
    public var body: [UInt8] = []
    /// The value of `Content-Length`; nil: the truth. If the body is shorter, the connection is closed behind it.
    public var statedLength: Int?
    /// Whether the answer stops behind its head, or behind its body, and never goes on.
    public var hangs = false
    /// Whether the body is followed by a few bytes now and then, without an end.
    public var drips = false

    public init(_ status: Int = 200, _ body: [UInt8] = TestServer.image) {
      self.status = status
      self.body = body
    }

    public static func redirect(_ address: String, status: Int = 302) -> Answer {
      var answer = Answer(status, [])
      answer.headers = [("Location", address)]
      return answer
    }
  }

  /// The target of a request, and how often it was asked for before.
  public struct Request: Sendable {
    public var path: String
    public var earlier: Int
    public var headers: [String: String]
  }

  /// Bytes that begin as a JPEG does.
  public static let image: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0] + [UInt8](repeating: 7, count: 300)

  private let desk: Desk
  private let channel: any Channel

  public init(_ answer: @escaping @Sendable (Request) async -> Answer) async throws {
    let desk = Desk(answer)
    self.desk = desk
    channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        desk.state.withLock { $0.connections += 1 }
        return channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
          try channel.pipeline.syncOperations.addHandler(Handler(desk))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  public func close() async throws { try await channel.close() }

  /// From now on the server answers so.
  public func answer(_ answer: @escaping @Sendable (Request) async -> Answer) {
    desk.answer.withLock { $0 = answer }
  }

  public var port: Int { channel.localAddress?.port ?? 0 }
  public func address(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }
  /// How often a path was asked for.
  public func count(_ path: String) -> Int { moments(path).count }
  /// When a path was asked for.
  public func moments(_ path: String) -> [ContinuousClock.Instant] {
    desk.state.withLock { $0.moments[path] ?? [] }
  }
  /// The headers of the last request, by names in small letters.
  public var lastHeaders: [String: String] { desk.state.withLock { $0.headers } }
  /// How many connections were made.
  public var connections: Int { desk.state.withLock { $0.connections } }
  /// The largest number of requests that were under way together.
  public var mostAtOnce: Int { desk.state.withLock { $0.mostAtOnce } }
}

/// Shared by the connections: who answers, and the requests so far.
private final class Desk: Sendable {
  struct State {
    var moments: [String: [ContinuousClock.Instant]] = [:]
    var headers: [String: String] = [:]
    var atOnce = 0
    var connections = 0
    var mostAtOnce = 0
  }

  let state = Mutex(State())
  let answer: Mutex<@Sendable (TestServer.Request) async -> TestServer.Answer>

  init(_ answer: @escaping @Sendable (TestServer.Request) async -> TestServer.Answer) {
    self.answer = Mutex(answer)
  }

  func answer(_ head: HTTPRequestHead) async -> TestServer.Answer {
    let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
    let earlier = state.withLock { state in
      state.headers = headers
      state.moments[head.uri, default: []].append(.now)
      state.atOnce += 1
      state.mostAtOnce = max(state.mostAtOnce, state.atOnce)
      return (state.moments[head.uri]?.count ?? 1) - 1
    }
    defer { state.withLock { $0.atOnce -= 1 } }
    let answer = answer.withLock { $0 }
    return await answer(TestServer.Request(path: head.uri, earlier: earlier, headers: headers))
  }
}

private final class Handler: ChannelInboundHandler, Sendable {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let desk: Desk

  init(_ desk: Desk) { self.desk = desk }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data) else { return }
    let channel = context.channel
    let desk = desk
    Task(executorPreference: EventLoopExecutor(channel.eventLoop)) {
      let answer = await desk.answer(head)
      try? await Self.send(answer, on: channel)
    }
  }

  private static func send(_ answer: TestServer.Answer, on channel: any Channel) async throws {
    var headers = HTTPHeaders(answer.headers)
    if !answer.drips {
      headers.replaceOrAdd(name: "Content-Length", value: "\(answer.statedLength ?? answer.body.count)")
    }
    let head = HTTPResponseHead(
      version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
    try await write(.head(head), channel)
    if !answer.body.isEmpty { try await write(.body(.byteBuffer(ByteBuffer(bytes: answer.body))), channel) }
    while answer.drips {
      try await Task.sleep(for: .milliseconds(5))
      try await write(.body(.byteBuffer(ByteBuffer(repeating: 7, count: 50))), channel)
    }
    if answer.hangs { return }
    if answer.statedLength.map({ $0 > answer.body.count }) ?? false {
      try await channel.close()
    } else {
      try await write(.end(nil), channel)
    }
  }

  private static func write(_ part: HTTPServerResponsePart, _ channel: any Channel) async throws {
    try await channel.writeAndFlush(part).get()
  }
}
