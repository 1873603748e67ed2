import HTTPTypes
import Hummingbird
import Workspace

/// Images that show the same, side by side: one of them stays in what is exported.
struct CopyRoutes: Sendable {
  let desk: Desk
  let search: CopySearch
  let hub: EventHub
  let warmer: ThumbnailWarmer
  /// Groups on a page at most, and images of a group that are shown.
  private static let groups = 24
  private static let shown = 24

  struct Reply: ResponseEncodable {
    struct Group: Sendable, Encodable {
      var images: [ImageItem]
      /// How many there are in all.
      var count: Int
      /// The one that stays; nil while all do.
      var kept: Int?
    }

    /// Nil before anybody has looked for copies.
    var groups: [Group]?
    /// Groups in all, and groups on which nobody has decided.
    var count = 0
    var open = 0
    /// Images that are left out.
    var leftOut = 0
    var step: RetrainingStep?
    var problem: String?
  }

  struct Decision: Decodable {
    /// The image that stays; its copies are left out.
    var keep: Int?
    /// An image all of whose copies stay.
    var all: Int?
  }

  func add(to router: some RouterMethods<ReviewContext>) {
    router.get("copies", use: list)
    router.post("copies/search", use: begin)
    router.post("copies", use: decide)
  }

  @Sendable private func begin(_ request: Request, _ context: ReviewContext) async throws -> Reply {
    _ = try context.person()
    await search.begin(images: desk.pictures)
    return Reply(step: RetrainingStep(name: "Looking for copies", done: 0, total: nil))
  }

  /// A page of groups: with `decided=yes` decided ones, else the others; `from` is the number of groups before the page.
  @Sendable private func list(_ request: Request, _ context: ReviewContext) async throws -> Reply {
    _ = try context.person()
    switch await search.state(images: desk.pictures) {
    case .idle: return Reply(problem: await search.problem)
    case .searching(let step): return Reply(step: step)
    case .ready(let groups):
      let parameters = request.uri.queryParameters
      let isDecided = parameters.get("decided") == "yes"
      let from = max(0, parameters.get("from", as: Int.self) ?? 0)
      let (present, kept) = try await standing(groups)
      let wished = present.indices.filter { (kept[$0] != nil) == isDecided }
      let page = wished.dropFirst(from).prefix(Self.groups)
      await warmer.rest()
      var shown: [Reply.Group] = []
      for place in page {
        let images = present[place].prefix(Self.shown).map { Desk.Pick(sample: $0, selection: .wished) }
        shown.append(
          Reply.Group(images: try await desk.items(images), count: present[place].count, kept: kept[place]))
      }
      return Reply(
        groups: shown, count: present.count, open: kept.count { $0 == nil },
        leftOut: zip(present, kept).reduce(0) { $0 + ($1.1 == nil ? 0 : $1.0.count - 1) })
    }
  }

  /// The groups without images that take no part, and which image stays in each, if that is decided.
  private func standing(_ groups: [[Int]]) async throws -> (groups: [[Int]], kept: [Int?]) {
    let workspace = desk.workspace
    let decided = try await Blocking.run { try workspace.copies() }
    let present = desk.state.withLock { state in
      groups.map { group in
        group.filter { state.catalogue.labels.indices.contains($0) && state.catalogue.labels[$0] >= 0 }
      }
    }.filter { $0.count > 1 }
    return (present, present.map { group in group.lazy.compactMap { decided[$0] }.first })
  }

  @Sendable private func decide(_ request: Request, _ context: ReviewContext) async throws -> Response {
    let person = try context.person()
    let decision = try await request.decode(as: Decision.self, context: context)
    guard let image = decision.keep ?? decision.all,
      case .ready(let groups) = await search.state(images: desk.pictures),
      let group = try await standing(groups).groups.first(where: { $0.contains(image) })
    else { throw HTTPError(.unprocessableContent, message: "No copies of this image are known.") }
    let workspace = desk.workspace
    try await Blocking.run {
      if decision.keep != nil {
        try workspace.keepOne(image, of: group, by: person)
      } else {
        try workspace.keepAll(group)
      }
    }
    await hub.announce()
    return Response(
      status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: .init(string: "{}")))
  }
}
