import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import Review

/// A reviewer's browser as the server sees it, without sockets.
struct Visitor: Sendable {
  let client: RouterClient
  var cookie: String?
  var origin = "http://localhost"
  /// The beginning of the images' addresses.
  var pictures = ""

  /// A JSON object or array.
  typealias Content = Any

  init(_ client: RouterClient) { self.client = client }

  /// Enters by an invitation and says a name.
  init(_ client: RouterClient, _ server: ReviewServer, person: String) async throws {
    self.client = client
    let response = try await send(.post, "/api/enter", ["token": server.invite(person)])
    #expect(response.status == .ok)
    cookie = response.headers[.setCookie]?.split(separator: ";").first.map(String.init)
    let me = try JSONSerialization.jsonObject(with: Data(buffer: response.body)) as? [String: Any]
    pictures = me?["pictures"] as? String ?? ""
  }

  /// Enters by a link that somebody was given.
  init(_ client: RouterClient, token: String) async throws {
    self.client = client
    let response = try await send(.post, "/api/enter", ["token": token])
    #expect(response.status == .ok)
    cookie = response.headers[.setCookie]?.split(separator: ";").first.map(String.init)
  }

  func send(_ method: HTTPRequest.Method, _ path: String, _ body: [String: Any]? = nil) async throws
    -> RouterClient.Answer
  {
    var headers: HTTPFields = [.origin: origin]
    headers[OriginMiddleware.marker] = "1"
    if let cookie { headers[.cookie] = cookie }
    if body != nil { headers[.contentType] = "application/json" }
    return try await client.send(
      method, path, headers: headers,
      body: try body.map { ByteBuffer(data: try JSONSerialization.data(withJSONObject: $0)) })
  }

  /// The server's answer, which must be success.
  func object(
    _ method: HTTPRequest.Method, _ path: String, _ body: [String: Any]? = nil,
    at place: SourceLocation = #_sourceLocation
  ) async throws -> [String: Any] {
    let response = try await send(method, path, body)
    #expect(response.status == .ok, "\(String(buffer: response.body))", sourceLocation: place)
    let content = try JSONSerialization.jsonObject(with: Data(buffer: response.body))
    return try #require(content as? [String: Any], sourceLocation: place)
  }

  /// Images to verify.
  func images(_ path: String) async throws -> (images: [Shown], left: Int) {
    let batch = try await object(.get, path)
    let images = try #require(batch["images"] as? [[String: Any]]).map(Shown.init)
    return (images, try #require(batch["left"] as? Int))
  }

  struct Shown: Hashable {
    let image: Int
    let label: Int
    let suggestion: Int?

    init(_ item: [String: Any]) {
      image = item["image"] as? Int ?? -1
      label = item["label"] as? Int ?? -1
      suggestion = item["suggestion"] as? Int
    }

    /// The answer that a page sends.
    func answer(_ word: String, client: String = UUID().uuidString, _ more: [String: Any] = [:]) -> [String:
      Any]
    {
      [
        "client": client, "image": image, "label": label, "answer": word, "dwell": 900,
      ]
      .merging(more) { $1 }
    }
  }

  @discardableResult
  func answer(_ answers: [[String: Any]]) async throws -> [String: Any] {
    try await object(.post, "/api/verdicts", ["answers": answers])
  }
}

extension ReviewFixture {
  /// A server of the fixture, and Ann, who has entered.
  func visit(_ body: @Sendable @escaping (Visitor, ReviewServer) async throws -> Void) async throws {
    let server = try server()
    try await server.visited { client in
      try await body(try await Visitor(client, server, person: "Ann"), server)
    }
  }
}
