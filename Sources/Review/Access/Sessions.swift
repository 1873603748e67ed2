import Foundation
import Synchronization

/// Who may use the page: a one-time token from the terminal, or from a reviewer's invitation, is exchanged for a session.
///
/// Sessions are kept in a file that only its owner can read, so that browsers go on after a restart of the server;
/// tokens are not.
final class Sessions: Sendable {
  struct Session: Sendable, Hashable, Codable {
    let id: String
    /// Empty until the reviewer has said it.
    var person: String
    let created: Date
  }

  private struct State {
    /// The reviewer's name by token; empty if it is to be asked for.
    var tokens: [String: String] = [:]
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
  func invite(_ person: String) -> String? {
    let token = Secret.make()
    return state.withLock { state in
      guard state.tokens.count < Self.maximumTokens else { return nil }
      state.tokens[token] = person
      return token
    }
  }

  /// Uses up a token.
  ///
  /// - Returns: Nil if there is no such token, or no longer.
  func enter(_ token: String) throws -> Session? {
    let session: Session? = state.withLock { state in
      guard let person = state.tokens.removeValue(forKey: token) else { return nil }
      let session = Session(id: Secret.make(), person: person, created: .now)
      state.sessions[session.id] = session
      return session
    }
    if session != nil { try save() }
    return session
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
