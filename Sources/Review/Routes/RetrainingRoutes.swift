import HTTPTypes
import Hummingbird
import NIOCore

/// Retraining, and the stream of events by which pages follow it and each other.
struct RetrainingRoutes: Sendable {
  let desk: Desk
  let retraining: Retraining
  let hub: EventHub
  let rejudging: Rejudging
  let map: ImageMap

  func add(to router: some RouterMethods<ReviewContext>) {
    router.post("retrain", use: retrain)
    router.get("events", use: events)
  }

  @Sendable private func retrain(_ request: Request, _ context: ReviewContext) async throws -> Response {
    let person = try context.person()
    let desk = desk
    let rejudging = rejudging
    let map = map
    let hasBegun = await retraining.begin(by: person) {
      try await desk.reload()
      await map.reset()
      try await desk.noteMoment()
      await rejudging.note()
    }
    guard hasBegun else { throw HTTPError(.conflict, message: "A training is under way.") }
    return Response(status: .accepted)
  }

  @Sendable private func events(_ request: Request, _ context: ReviewContext) async throws -> Response {
    guard let events = await hub.listen(try context.reviewer().id) else {
      throw HTTPError(.serviceUnavailable, message: "Too many pages are open.")
    }
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
      body: ResponseBody(asyncSequence: events))
  }
}
