import Hummingbird

/// Plans for a wished end, and how far the last one has come.
struct PlanRoutes: Sendable {
  let desk: Desk

  struct Reply: ResponseEncodable {
    /// The wished end; nil if only the standing is asked for.
    var plan: ReviewPlan?
    var standing: PlanStanding?
  }

  struct Wish: Decodable {
    /// One of the two.
    var minutes: Double?
    var wrong: Double?
  }

  func add(to router: some RouterMethods<ReviewContext>) {
    router.get("plan", use: plan)
    router.post("plan", use: begin)
  }

  @Sendable private func plan(_ request: Request, _ context: ReviewContext) async throws -> Reply {
    let person = try context.person()
    let parameters = request.uri.queryParameters
    try await desk.refresh()
    let wish = Wish(
      minutes: parameters.get("minutes", as: Double.self), wrong: parameters.get("wrong", as: Double.self))
    guard wish.minutes != nil || wish.wrong != nil else {
      return Reply(standing: try await desk.planStanding(of: person))
    }
    return Reply(plan: ReviewPlan(try Self.checked(wish), desk.planFacts(for: person)))
  }

  /// Takes a plan as the person's own from now on.
  @Sendable private func begin(_ request: Request, _ context: ReviewContext) async throws -> Reply {
    let person = try context.person()
    let wish = try await request.decode(as: Wish.self, context: context)
    try await desk.refresh()
    let plan = ReviewPlan(try Self.checked(wish), desk.planFacts(for: person))
    try await desk.begin(plan, by: person)
    return Reply(plan: plan, standing: try await desk.planStanding(of: person))
  }

  private static func checked(_ wish: Wish) throws -> ReviewPlan.Wish {
    switch (wish.minutes, wish.wrong) {
    case (let minutes?, nil) where minutes > 0 && minutes <= 1440: return .minutes(minutes)
    case (nil, let wrong?) where wrong > 0 && wrong < 1: return .wrong(wrong)
    default:
      throw HTTPError(
        .unprocessableContent,
        message: "A plan is for up to 1,440 minutes, or for a share of wrong labels between 0 and 1.")
    }
  }
}
