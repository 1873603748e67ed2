import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Synchronization

@testable import Review

/// Asks the routes of a server directly, without a socket.
struct RouterClient: Sendable {
  private let respond: @Sendable (Request, ReviewContext) async throws -> Response

  init(_ server: ReviewServer) { respond = server.responder.respond }

  struct Answer: Sendable {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let body: ByteBuffer
  }

  func send(_ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], body: ByteBuffer? = nil)
    async throws -> Answer
  {
    var headers = headers
    headers[.contentLength] = body.map { "\($0.readableBytes)" }
    let request = Request(
      head: .init(
        method: method, scheme: "http", authority: "localhost", path: path, headerFields: headers),
      body: RequestBody(buffer: body ?? ByteBuffer()))
    let context = ReviewContext(
      source: .init(channel: NIOAsyncTestingChannel(), logger: Logger(label: "review tests")))
    let response =
      (try? await respond(request, context)) ?? Response(status: .internalServerError)
    let collected = Collected()
    try await response.body.write(collected)
    return Answer(status: response.status, headers: response.headers, body: collected.content)
  }

  private final class Collected: ResponseBodyWriter, Sendable {
    private let kept = Mutex(ByteBuffer())

    var content: ByteBuffer { kept.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws {
      kept.withLock { _ = $0.writeImmutableBuffer(buffer) }
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
  }
}

extension ReviewServer {
  /// Hands a client of the server's routes to a test.
  func visited(_ body: (RouterClient) async throws -> Void) async throws {
    try await body(RouterClient(self))
  }
}
