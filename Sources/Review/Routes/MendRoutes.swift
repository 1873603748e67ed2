import Hummingbird
import Workspace

/// The view that mends: images of all classes, and earlier verdicts to be looked at again.
struct MendRoutes: Sendable {
  let desk: Desk

  /// A page of it.
  struct Reply: ResponseEncodable {
    struct Group: Sendable, Encodable {
      var label: Int
      var suggestion: Int?
      var images: [ImageItem]
    }

    var kind: MendPage.Kind
    var groups: [Group]
    var again: Int
    var shared: Int
    var doubtful: Int
  }

  func add(to router: some RouterMethods<ReviewContext>) {
    router.get("mend", use: mend)
  }

  @Sendable private func mend(_ request: Request, _ context: ReviewContext) async throws -> Reply {
    let session = try context.reviewer()
    let person = try context.person()
    let query = ImageQuery(request)
    try await desk.refresh()
    let looksAgain = request.uri.queryParameters.get("again") != "no"
    let page = desk.mend(
      count: query.count, session: session.id, person: person, looksAgain: looksAgain)
    var groups: [Reply.Group] = []
    for group in page.groups {
      groups.append(
        Reply.Group(
          label: group.label, suggestion: group.suggestion, images: try await desk.items(group.picks)))
    }
    return Reply(
      kind: page.kind, groups: groups, again: page.again, shared: page.shared, doubtful: page.doubtful)
  }
}
