import Foundation
import Torch
import Workspace

/// Makes maps of images in the background, one at a time, and keeps the last few.
actor ImageMap {
  /// Images on a map at most: cost grows with the square.
  static let most = 2000
  private static let kept = 8

  enum State: Sendable {
    /// Being made: steps done, and in all.
    case making(done: Int, total: Int)
    case ready([MapPoint])
    case failed(String)
  }

  private let backend: any ReviewBackend
  private var maps: [(label: Int?, points: [MapPoint])] = []
  private var making: (label: Int?, done: Int, total: Int)?
  private var problem: (label: Int?, text: String)?

  init(_ backend: any ReviewBackend) { self.backend = backend }

  /// The map of a class, or of all; begins it if nobody has asked for it.
  ///
  /// - Parameter samples: The images for it, if it is to be made.
  func map(of label: Int?, samples: @Sendable () -> [Int]) -> State {
    if let known = maps.first(where: { $0.label == label }) { return .ready(known.points) }
    if let problem, problem.label == label {
      // Asked again, it is tried again.
      self.problem = nil
      return .failed(problem.text)
    }
    if let making {
      return making.label == label
        ? .making(done: making.done, total: making.total) : .making(done: 0, total: 0)
    }
    making = (label, 0, 0)
    let chosen = samples()
    let backend = backend
    Task {
      do {
        let points = try await Blocking.alone {
          try backend.places(chosen) { step in Task { await self.reach(step) } }
        }
        finish(label, points)
      } catch { fail(label, "\(error)") }
    }
    return .making(done: 0, total: 0)
  }

  private func reach(_ step: RetrainingStep) {
    guard let now = making else { return }
    // Steps may come out of order.
    making = (now.label, max(now.done, step.done), step.total ?? 0)
  }

  private func finish(_ label: Int?, _ points: [MapPoint]?) {
    making = nil
    guard let points else {
      return fail(label, "There are no features to place images by. Run: cleannet embed")
    }
    maps.append((label, points))
    if maps.count > Self.kept { maps.removeFirst() }
  }

  private func fail(_ label: Int?, _ text: String) {
    making = nil
    problem = (label, text)
  }

  /// Forgets the maps: features may be others.
  func reset() { maps = [] }
}

extension Desk {
  /// The images for a map: labels that look wrong or are in doubt take half of it at most, random images the rest.
  static func mapped(_ state: State, label: Int?, by order: DrawOrder) -> [Int] {
    func belongs(_ sample: Int) -> Bool {
      state.catalogue.labels[sample] >= 0 && (label == nil || state.catalogue.labels[sample] == label)
    }
    let special = (state.suspects + state.doubtful.prefix(ImageMap.most)).lazy.filter(belongs).prefix(
      ImageMap.most / 2)
    var seen = Set(special)
    let others = label.map { state.catalogue.members[$0] } ?? Array(state.catalogue.members.joined())
    let wished = min(ImageMap.most, others.count)
    // Ranks are random: the lowest of each are a fair choice, without sorting a million.
    let share = 3 * Double(wished) / Double(max(1, others.count))
    let drawn =
      others.count <= 4 * ImageMap.most
      ? others : others.filter { Double(order.rank(of: $0)) / 0x1p64 <= share }
    for sample in order.sorted(drawn) where seen.count < wished { seen.insert(sample) }
    return seen.sorted()
  }
}
