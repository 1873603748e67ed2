import Foundation
import HTTPTypes
import Hummingbird

/// Reviewers: their names, links for others, keys, and leaving.
struct ReviewerRoutes: Sendable {
  let sessions: Sessions
  let keys: KeyBindings.Source
  let desk: Desk
  let hub: EventHub
  /// As pages know it, and the name of its cookie.
  let workspace: String

  struct Name: Decodable {
    var person: String
  }

  struct Invited: Decodable {
    /// Whom the link is for; nil or empty: the page will ask.
    var person: String?
  }

  struct Invitation: ResponseEncodable {
    /// The text after `#token=` in the page's address.
    var token: String
  }

  struct Reviewers: ResponseEncodable {
    struct Reviewer: Encodable, Sendable {
      var tag: String
      var person: String
      /// Seconds since 1970.
      var since: Double
      var isHost: Bool
      var isSelf: Bool
    }

    var reviewers: [Reviewer]
  }

  struct Ended: Decodable {
    var tag: String
  }

  func add(to router: some RouterMethods<ReviewContext>) {
    router.get("me") { _, context in me(try context.reviewer()) }
    router.post("me", use: rename)
    router.post("leave", use: leave)
    router.post("invitations", use: invite)
    router.get("reviewers", use: list)
    router.post("reviewers/end", use: end)
    router.get("keys") { _, _ in try keys.read() }
  }

  private func me(_ session: Sessions.Session) -> Me {
    Me(session, workspace: workspace, pictures: desk.pictures)
  }

  /// Says who one is: once, and nobody who is known already.
  @Sendable private func rename(_ request: Request, _ context: ReviewContext) async throws -> Me {
    let session = try context.reviewer()
    let name = try await request.decode(as: Name.self, context: context)
    guard let person = Sessions.personName(name.person) else {
      throw HTTPError(.unprocessableContent, message: "A name has 1 to 64 characters.")
    }
    if person == session.person { return me(session) }
    guard !session.isNamed else {
      throw HTTPError(
        .conflict, message: "This link was made for \(session.person). Ask for one in the other name.")
    }
    try await desk.refresh()
    let known = desk.state.withLock { $0.answers.people.map(\.name) }
    if known.contains(session.person) {
      throw HTTPError(.conflict, message: "Verdicts are saved under the name \(session.person), which stays.")
    }
    if sessions.isTaken(person, for: session.id) || known.contains(where: { Sessions.isSame($0, person) }) {
      throw HTTPError(
        .conflict,
        message: "Somebody with this name is already reviewing. If it is you, ask for a link in your name.")
    }
    try sessions.rename(session.id, to: person)
    var renamed = session
    renamed.person = person
    return me(renamed)
  }

  @Sendable private func leave(_ request: Request, _ context: ReviewContext) async throws -> Response {
    let session = try context.reviewer()
    _ = try sessions.end { $0.id == session.id }
    await hub.hangUp(session.id)
    // Images lie in the browser's cache; browsers clear it where the connection counts as safe, as to this machine. Cookies
    // are not named: pages of other workspaces on this machine have theirs.
    var response = Response(status: .ok, headers: [Self.clearing: "\"cache\""])
    response.setCookie(
      Cookie(name: workspace, value: "", maxAge: 0, path: "/", httpOnly: true, sameSite: .strict))
    return response
  }

  private static let clearing = OriginMiddleware.name("Clear-Site-Data")

  @Sendable private func invite(_ request: Request, _ context: ReviewContext) async throws -> Invitation {
    _ = try host(context)
    let invited = try await request.decode(as: Invited.self, context: context)
    var invitation = Sessions.Invitation()
    if let text = invited.person, !text.isEmpty {
      guard let person = Sessions.personName(text) else {
        throw HTTPError(.unprocessableContent, message: "A name has 1 to 64 characters.")
      }
      invitation.person = person
    }
    guard let token = sessions.invite(invitation) else {
      throw HTTPError(.tooManyRequests, message: "Too many links are unused.")
    }
    return Invitation(token: token)
  }

  @Sendable private func list(_ request: Request, _ context: ReviewContext) async throws -> Reviewers {
    let own = try host(context)
    return Reviewers(
      reviewers: sessions.all.map { session in
        Reviewers.Reviewer(
          tag: session.tag, person: session.person, since: session.created.timeIntervalSince1970,
          isHost: session.isHost, isSelf: session.id == own.id)
      })
  }

  @Sendable private func end(_ request: Request, _ context: ReviewContext) async throws -> Reviewers {
    _ = try host(context)
    let ended = try await request.decode(as: Ended.self, context: context)
    for session in sessions.all where session.tag == ended.tag { await hub.hangUp(session.id) }
    guard try sessions.end(where: { $0.tag == ended.tag }) else {
      throw HTTPError(.notFound, message: "There is no such session.")
    }
    return try await list(request, context)
  }

  /// The session of somebody who may invite others and send them away.
  private func host(_ context: ReviewContext) throws -> Sessions.Session {
    let session = try context.reviewer()
    guard session.isHost else {
      throw HTTPError(.forbidden, message: "Only the person who started the review can do that.")
    }
    return session
  }
}
