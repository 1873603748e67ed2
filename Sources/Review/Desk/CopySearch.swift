import Foundation
import Workspace

/// Looks for images that show the same, when somebody asks for it, and keeps what it found as long as the images are the
/// same.
actor CopySearch {
  enum State: Sendable {
    /// Nobody has asked for it.
    case idle
    case searching(RetrainingStep)
    /// The groups, largest first.
    case ready([[Int]])
  }

  private struct Found: Codable {
    /// Of the images that were compared.
    var images: String
    var groups: [[Int]]
  }

  private let backend: any ReviewBackend
  private let file: String
  private var found: Found?
  private var step: RetrainingStep?
  /// The last fault and its remedy.
  private(set) var problem: String?

  /// - Parameter file: Where groups are kept.
  init(_ backend: any ReviewBackend, file: String) {
    self.backend = backend
    self.file = file
    found = FileManager.default.contents(atPath: file)
      .flatMap { try? JSONDecoder().decode(Found.self, from: $0) }
  }

  /// - Parameter images: Tells the images that there are from others.
  func state(images: String) -> State {
    if let step { return .searching(step) }
    guard let found, found.images == images else { return .idle }
    return .ready(found.groups)
  }

  /// Begins a search, unless one is under way.
  func begin(images: String) {
    guard step == nil else { return }
    step = RetrainingStep(name: "Looking for copies", done: 0, total: nil)
    problem = nil
    let backend = backend
    Task {
      do {
        let groups = try await Blocking.alone {
          try backend.copies { step in Task { await self.reach(step) } }
        }
        try finish(Found(images: images, groups: groups.sorted { ($0.count, $1[0]) > ($1.count, $0[0]) }))
      } catch {
        step = nil
        problem = "\(error)"
      }
    }
  }

  private func reach(_ next: RetrainingStep) {
    if step != nil { step = next }
  }

  private func finish(_ found: Found) throws {
    step = nil
    self.found = found
    try PrivateFile.write(try JSONEncoder().encode(found), to: file)
  }
}
