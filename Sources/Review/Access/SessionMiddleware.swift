import HTTPTypes
import Hummingbird
import Synchronization

/// Lets nobody pass without a session, and no session too often.
final class SessionMiddleware: RouterMiddleware {
  private let sessions: Sessions
  private let cookie: String
  private let buckets = Mutex<[String: TokenBucket]>([:])
  /// A 60-image grid, the next one ahead of time, and the hand of a fast reviewer.
  private static let (perSecond, burst) = (100.0, 600.0)

  init(_ sessions: Sessions, cookie: String) { (self.sessions, self.cookie) = (sessions, cookie) }

  func handle(
    _ request: Request, context: ReviewContext, next: (Request, ReviewContext) async throws -> Response
  ) async throws -> Response {
    guard let id = request.cookies[cookie]?.value, let session = sessions.session(id) else {
      throw HTTPError(
        .unauthorized, message: "Open the link that `cleannet review` prints; each works once.")
    }
    let mayPass = buckets.withLock { buckets in
      buckets[id, default: TokenBucket(perSecond: Self.perSecond, burst: Self.burst)].take()
    }
    guard mayPass else {
      throw HTTPError(
        .tooManyRequests, headers: [.retryAfter: "1"], message: "Too many requests; wait a second.")
    }
    var context = context
    context.session = session
    return try await next(request, context)
  }
}
