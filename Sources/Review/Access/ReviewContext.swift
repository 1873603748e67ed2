import Hummingbird

/// The known facts about a request.
package struct ReviewContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  /// Set by `SessionMiddleware`.
  var session: Sessions.Session?

  package init(source: Source) { coreContext = .init(source: source) }

  package var maxUploadSize: Int { ReviewConfiguration.maximumBody }

  /// The session, which routes behind `SessionMiddleware` always have.
  func reviewer() throws -> Sessions.Session {
    guard let session else { throw HTTPError(.unauthorized) }
    return session
  }

  /// The session of somebody whose name is known.
  func person() throws -> String {
    let person = try reviewer().person
    guard !person.isEmpty else { throw HTTPError(.forbidden, message: "Say who you are first.") }
    return person
  }

  /// The number in the path.
  func number(_ name: String) throws -> Int {
    guard let number = parameters.get(name, as: Int.self) else { throw HTTPError(.notFound) }
    return number
  }
}
