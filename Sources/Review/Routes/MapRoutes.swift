import Hummingbird
import Workspace

/// The map: images that look alike are near each other, so that many can be chosen by drawing around them.
struct MapRoutes: Sendable {
  let desk: Desk
  let map: ImageMap

  struct Reply: ResponseEncodable {
    struct Point: Sendable, Encodable {
      var image: Int
      var label: Int
      /// In [0, 1].
      var x: Double
      var y: Double
      /// Whether the label looks wrong. It is said of suspects alone, which may be looked at as such.
      var isSuspect: Bool
      /// People's answers, if any.
      var answer: VerdictRoutes.Answer.Word?
    }

    /// Nil while it is being made.
    var points: [Point]?
    /// Steps done, and in all, while it is being made.
    var done: Int?
    var total: Int?
  }

  func add(to router: some RouterMethods<ReviewContext>) {
    router.get("map", use: points)
  }

  @Sendable private func points(_ request: Request, _ context: ReviewContext) async throws -> Reply {
    _ = try context.person()
    let label = request.uri.queryParameters.get("class", as: Int.self)
    if let label, !desk.state.withLock({ $0.catalogue.members.indices.contains(label) }) {
      throw HTTPError(.notFound, message: "There is no such class.")
    }
    try await desk.refresh()
    let desk = desk
    let found = await map.map(of: label) {
      desk.state.withLock { Desk.mapped($0, label: label, by: desk.drawOrder) }
    }
    switch found {
    case .making(let done, let total): return Reply(done: done, total: total)
    case .failed(let text): throw HTTPError(.unprocessableContent, message: text)
    case .ready(let points):
      return desk.state.withLock { state in
        Reply(
          points: points.compactMap { point -> Reply.Point? in
            let label = state.catalogue.labels[point.sample]
            guard label >= 0 else { return nil }
            let answer = state.answers.current[point.sample].flatMap { $0.origin == .accepted ? nil : $0 }
            return Reply.Point(
              image: point.sample, label: label, x: point.x, y: point.y,
              isSuspect: (state.scores?[point.sample]?.probability ?? 1) < 0.5,
              answer: answer.map { VerdictRoutes.Answer.Word($0.answer) })
          })
      }
    }
  }
}
