import Foundation
import HTTPTypes
import Hummingbird
import Synchronization

/// Exchanges a one-time token for a session. The only routes that need none, beside the page's files.
struct EntryRoutes: Sendable {
  let sessions: Sessions
  let cookie: String
  private let attempts = Attempts()

  /// Guessing 256 bits is hopeless; this keeps it cheap, too.
  private final class Attempts: Sendable {
    private let bucket = Mutex(TokenBucket(perSecond: 2, burst: 20))
    func take() -> Bool { bucket.withLock { $0.take() } }
  }

  struct Entry: Decodable {
    var token: String
  }

  init(sessions: Sessions, cookie: String) { (self.sessions, self.cookie) = (sessions, cookie) }

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
    var response = try await Me(session, workspace: cookie).response(from: request, context: context)
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
  /// What tells the workspace from others that may be served under the same address later.
  var workspace: String

  init(_ session: Sessions.Session, workspace: String) {
    (person, self.workspace) = (session.person, workspace)
  }
}
