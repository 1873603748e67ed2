import Foundation
import Synchronization
import Workspace

/// Lets people in: a one-time token from the terminal, or from a reviewer's invitation, is exchanged for a session.
///
/// Sessions are kept in a file that only its owner can read, so that browsers go on after a restart of the server;
/// tokens are not.
final class Sessions: Sendable {
  struct Session: Sendable, Hashable, Codable {
    let id: String
    /// Empty until the reviewer has said it.
    var person: String
    let created: Date
    /// Whether the link was printed by the program: such reviewers may invite others and end their sessions.
    let isHost: Bool
    /// Whether the link was made for a person of this name, who cannot call themselves otherwise.
    let isNamed: Bool

    /// The name by which others may know the session.
    var tag: String { String(StableHash.of("session", id).prefix(16)) }
  }

  /// The rights that a link gives.
  struct Invitation: Sendable, Hashable {
    /// Empty if the name is to be asked for.
    var person = ""
    var isHost = false
  }

  private struct State {
    var tokens: [String: Invitation] = [:]
    var sessions: [String: Session] = [:]
  }

  /// How long a browser need not ask again.
  static let lifetime: TimeInterval = 30 * 86_400
  static let maximumTokens = 100
  private let file: String
  private let state: Mutex<State>

  /// - Parameter file: Where sessions are kept. One that cannot be read counts as empty: browsers have to enter again.
  init(file: String) {
    self.file = file
    let stored = (try? Data(contentsOf: URL(fileURLWithPath: file)))
      .flatMap { try? JSONDecoder().decode([Session].self, from: $0) }
    var state = State()
    for session in stored ?? [] where !Self.hasEnded(session) { state.sessions[session.id] = session }
    self.state = Mutex(state)
  }

  private static func hasEnded(_ session: Session) -> Bool {
    Date.now.timeIntervalSince(session.created) > lifetime
  }

  /// A token that lets one browser in, once.
  ///
  /// - Returns: Nil if too many tokens are waiting to be used.
  func invite(_ invitation: Invitation) -> String? {
    let token = Secret.make()
    return state.withLock { state in
      guard state.tokens.count < Self.maximumTokens else { return nil }
      state.tokens[token] = invitation
      return token
    }
  }

  /// Uses up a token.
  ///
  /// - Returns: Nil if there is no such token, or no longer.
  func enter(_ token: String) throws -> Session? {
    let session: Session? = state.withLock { state in
      guard let invitation = state.tokens.removeValue(forKey: token) else { return nil }
      let session = Session(
        id: Secret.make(), person: invitation.person, created: .now, isHost: invitation.isHost,
        isNamed: !invitation.person.isEmpty)
      state.sessions[session.id] = session
      return session
    }
    if session != nil { try save() }
    return session
  }

  /// All sessions, the oldest first.
  var all: [Session] {
    state.withLock { state in
      state.sessions.values.filter { !Self.hasEnded($0) }.sorted { $0.created < $1.created }
    }
  }

  /// Ends a session; false: there is none.
  func end(where isMeant: (Session) -> Bool) throws -> Bool {
    let hasEnded = state.withLock { state in
      let meant = state.sessions.values.filter(isMeant).map(\.id)
      for id in meant { state.sessions[id] = nil }
      return !meant.isEmpty
    }
    if hasEnded { try save() }
    return hasEnded
  }

  func session(_ id: String) -> Session? {
    state.withLock { state in
      guard let session = state.sessions[id] else { return nil }
      if Self.hasEnded(session) {
        state.sessions[id] = nil
        return nil
      }
      return session
    }
  }

  /// Whether another session, or a link that waits to be used, belongs to a person of that name.
  func isTaken(_ person: String, for id: String) -> Bool {
    state.withLock { state in
      let names =
        state.sessions.values.filter { $0.id != id && !Self.hasEnded($0) }.map(\.person)
        + state.tokens.values.map(\.person)
      return names.contains { Self.isSame($0, person) }
    }
  }

  /// Names that people would take for the same.
  static func isSame(_ one: String, _ other: String) -> Bool {
    func plain(_ name: String) -> String {
      name.precomposedStringWithCompatibilityMapping.lowercased().filter { !$0.isWhitespace }
    }
    return plain(one) == plain(other)
  }

  func rename(_ id: String, to person: String) throws {
    state.withLock { $0.sessions[id]?.person = person }
    try save()
  }

  /// A reviewer's name as it is kept; nil if it is none.
  static func personName(_ text: String) -> String? {
    let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let isClean = name.unicodeScalars.allSatisfy { !CharacterSet.controlCharacters.contains($0) }
    return (1...64).contains(name.count) && name.utf8.count <= 256 && isClean ? name : nil
  }

  private func save() throws {
    // Within the lock, so that a later state is never overwritten by an earlier one.
    try state.withLock { state in
      let sessions = state.sessions.values.sorted { $0.created < $1.created }
      try PrivateFile.write(try JSONEncoder().encode(sessions), to: file)
    }
  }
}
