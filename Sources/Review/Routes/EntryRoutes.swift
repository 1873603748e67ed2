import Foundation
import HTTPTypes
import Hummingbird
import Synchronization

/// Exchanges a one-time token for a session. The only routes that need none, beside the page's files.
struct EntryRoutes: Sendable {
  let sessions: Sessions
  let cookie: String
  /// The beginning of the images' addresses.
  let pictures: @Sendable () -> String
  private let attempts = Attempts()

  /// Guessing 256 bits is hopeless; this keeps it cheap, too.
  private final class Attempts: Sendable {
    private let bucket = Mutex(TokenBucket(perSecond: 2, burst: 20))
    func take() -> Bool { bucket.withLock { $0.take() } }
  }

  struct Entry: Decodable {
    var token: String
  }

  init(sessions: Sessions, cookie: String, pictures: @escaping @Sendable () -> String) {
    self.sessions = sessions
    self.cookie = cookie
    self.pictures = pictures
  }

  func add(to router: some RouterMethods<ReviewContext>) {
    router.post("api/enter", use: enter)
  }

  @Sendable private func enter(_ request: Request, _ context: ReviewContext) async throws -> Response {
    guard attempts.take() else {
      throw HTTPError(.tooManyRequests, headers: [.retryAfter: "1"], message: "Too many attempts.")
    }
    let entry = try await request.decode(as: Entry.self, context: context)
    guard let session = try sessions.enter(entry.token) else {
      throw HTTPError(
        .unauthorized,
        message: "This link was used already, or the server was started anew. Ask for a fresh one.")
    }
    var response = try await Me(session, workspace: cookie, pictures: pictures()).response(
      from: request, context: context)
    response.setCookie(
      Cookie(
        name: cookie, value: session.id, maxAge: Int(Sessions.lifetime), path: "/", httpOnly: true,
        sameSite: .strict))
    return response
  }
}

/// The reviewer, as the page knows them.
struct Me: ResponseEncodable, Sendable {
  /// Empty until it was said.
  var person: String
  /// A name that tells the workspace from others that may be served under the same address later.
  var workspace: String
  /// The beginning of the images' addresses: other images have another.
  var pictures: String
  /// Whether the reviewer may invite others.
  var isHost: Bool
  /// Whether the name is fixed by the link.
  var isNamed: Bool

  init(_ session: Sessions.Session, workspace: String, pictures: String) {
    person = session.person
    self.workspace = workspace
    self.pictures = pictures
    isHost = session.isHost
    isNamed = session.isNamed
  }
}
