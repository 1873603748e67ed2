import Datasets
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Review
import Synchronization
import Torch
import Workspace

extension FuzzTarget {
  /// Bytes that reach the review page: requests, and the file of its keys.
  static let pages: [FuzzTarget] = [
    FuzzTarget("http-routes") { folder in
      let desk = try PageDesk(folder)
      return { bytes in desk.send(bytes) }
    },
    FuzzTarget("key-bindings") { folder in
      let file = "\(folder)/keys.json"
      return { bytes in
        try write(bytes, to: file)
        _ = try JSONEncoder().encode(try KeyBindings.Source(file: file).read().keys)
      }
    },
  ]
}

/// A page that answers one reviewer without a socket.
private final class PageDesk {
  /// No stages: verdicts are taken, and nothing is trained.
  private struct NoStages: ReviewBackend {
    struct Refusal: Error {}
    func features() throws -> (any FeatureSource)? { nil }
    func retrain(_ report: @escaping @Sendable (RetrainingStep) -> Void) throws { throw Refusal() }
  }

  private let server: ReviewServer
  private var cookie: String?

  init(_ folder: String) throws {
    let table = "\(folder)/images.csv"
    let rows = (0..<60).map { "k\($0),\($0).jpg,class \($0 % 3)\n" }.joined()
    try Data(("key,path,label\n" + rows).utf8).write(to: URL(fileURLWithPath: table))
    let workspace = try Workspace(path: "\(folder)/w", create: true)
    var options = DatasetOptions()
    options.featuresOnly = true
    _ = try workspace.importSamples(
      from: try DatasetReader.open(source: table, options: options), source: try DatasetSource(path: table),
      options: options, features: nil, progress: { _ in })
    var configuration = ReviewConfiguration()
    configuration.rate = (perSecond: 1e9, burst: 1e9)
    server = try ReviewServer(workspace, backend: NoStages(), configuration: configuration)
  }

  /// Sends a request: a method and a path in the first line, then a body.
  func send(_ bytes: UnsafeRawBufferPointer) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    let head = String(decoding: lines[0], as: UTF8.self)
      .split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard head.count == 2, let method = HTTPRequest.Method(String(head[0])) else { return }
    let body = lines.count == 2 ? Array(lines[1]) : []
    if cookie == nil { enter() }
    // It left, or was sent away.
    if answer(method, String(head[1]), body).status == .unauthorized { cookie = nil }
  }

  private func enter() {
    let token = server.invite("somebody")
    let response = answer(.post, "/api/enter", Array(#"{"token":"\#(token)"}"#.utf8))
    cookie = response.headers[.setCookie]?.split(separator: ";").first.map(String.init)
  }

  private func answer(_ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]) -> Response {
    var headers: HTTPFields = [
      .origin: "http://localhost", .contentType: "application/json", .contentLength: "\(body.count)",
    ]
    headers[OriginMiddleware.marker] = "1"
    if let cookie { headers[.cookie] = cookie }
    let request = Request(
      head: .init(
        method: method, scheme: "http", authority: "localhost", path: path, headerFields: headers),
      body: RequestBody(buffer: ByteBuffer(bytes: body)))
    let context = ReviewContext(
      source: .init(channel: NIOAsyncTestingChannel(), logger: Logger(label: "fuzz")))
    let (responder, done) = (server.responder, DispatchSemaphore(value: 0))
    let result = Mutex(Response(status: .internalServerError))
    // Before the hundreds of tests that run beside it.
    Task(priority: .userInitiated) {
      // An event stream never ends, and other bodies were made already.
      if let response = try? await responder.respond(to: request, context: context) {
        result.withLock { $0 = response }
      }
      done.signal()
    }
    done.wait()
    return result.withLock { $0 }
  }
}
