import Hummingbird

/// Who reviews: their name, links for others, their keys.
struct ReviewerRoutes: Sendable {
  let sessions: Sessions
  let keys: KeyBindings.Source
  /// As pages know it.
  let workspace: String

  struct Name: Decodable {
    var person: String
  }

  struct Invitation: ResponseEncodable {
    /// What follows the page's address after `#token=`.
    var token: String
  }

  func add(to router: some RouterMethods<ReviewContext>) {
    router.get("me") { _, context in Me(try context.reviewer(), workspace: workspace) }
    router.post("me", use: rename)
    router.post("invitations") { _, context in
      _ = try context.person()
      guard let token = sessions.invite("") else {
        throw HTTPError(.tooManyRequests, message: "Many links wait to be used already.")
      }
      return Invitation(token: token)
    }
    router.get("keys") { _, _ in try keys.read() }
  }

  @Sendable private func rename(_ request: Request, _ context: ReviewContext) async throws -> Me {
    let session = try context.reviewer()
    let name = try await request.decode(as: Name.self, context: context)
    guard let person = Sessions.personName(name.person) else {
      throw HTTPError(.unprocessableContent, message: "A name has 1 to 64 characters.")
    }
    try sessions.rename(session.id, to: person)
    var renamed = session
    renamed.person = person
    return Me(renamed, workspace: workspace)
  }
}
