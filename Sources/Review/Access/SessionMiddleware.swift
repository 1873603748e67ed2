import HTTPTypes
import Hummingbird
import Synchronization

/// Lets nobody pass without a session, and no session too often.
final class SessionMiddleware: RouterMiddleware {
  private let sessions: Sessions
  private let cookie: String
  private let buckets = Mutex<[String: TokenBucket]>([:])
  private let rate: (perSecond: Double, burst: Double)

  init(_ sessions: Sessions, cookie: String, rate: (perSecond: Double, burst: Double)) {
    self.sessions = sessions
    self.cookie = cookie
    self.rate = rate
  }

  func handle(
    _ request: Request, context: ReviewContext, next: (Request, ReviewContext) async throws -> Response
  ) async throws -> Response {
    guard let id = request.cookies[cookie]?.value, let session = sessions.session(id) else {
      throw HTTPError(
        .unauthorized,
        message: "Open the link that cleannet review prints in the terminal. Each link works once.")
    }
    let mayPass = buckets.withLock { buckets in
      buckets[id, default: TokenBucket(perSecond: rate.perSecond, burst: rate.burst)].take()
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
