import Hummingbird
import Workspace

/// Views in which one verdict is given on many images: suspects by pairs of classes, images that look alike, and images
/// that were chosen on the map.
struct ManyRoutes: Sendable {
  let desk: Desk
  let warmer: ThumbnailWarmer

  struct Pairs: ResponseEncodable {
    var pairs: [SuspectPair]
    /// How many pairs there are in all.
    var count: Int
  }

  struct Likely: ResponseEncodable {
    /// The likeliest first.
    var labels: [Int]
  }

  func add(to router: some RouterMethods<ReviewContext>) {
    router.get("suspects/pairs", use: pairs)
    router.get("similar/:image", use: similar)
    router.get("chosen", use: chosen)
    router.get("classes/:label/likely", use: likely)
  }

  @Sendable private func pairs(_ request: Request, _ context: ReviewContext) async throws -> Pairs {
    let person = try context.person()
    try await desk.refresh()
    let (pairs, count) = desk.suspectPairs(open: person)
    return Pairs(pairs: pairs, count: count)
  }

  @Sendable private func similar(_ request: Request, _ context: ReviewContext) async throws -> ImageBatch {
    let session = try context.reviewer()
    let person = try context.person()
    let query = ImageQuery(request)
    let found = try await desk.similar(
      to: try context.number("image"), count: query.count, without: query.without, session: session.id,
      person: person)
    guard let found else {
      throw HTTPError(
        .notFound, message: "There are no features to compare the image by. Run: cleannet embed")
    }
    return try await batch(found)
  }

  /// Images that a person has chosen by hand.
  @Sendable private func chosen(_ request: Request, _ context: ReviewContext) async throws -> ImageBatch {
    let session = try context.reviewer()
    let person = try context.person()
    let query = ImageQuery(request)
    let images = (request.uri.queryParameters.get("images") ?? "").split(separator: ",")
      .prefix(BrowseRoutes.maximumImages).compactMap { Int($0) }
    return try await batch(
      desk.take(images, count: query.count, without: query.without, session: session.id, person: person))
  }

  private func batch(_ found: (picks: [Desk.Pick], left: Int)) async throws -> ImageBatch {
    await warmer.rest()
    return ImageBatch(images: try await desk.items(found.picks), left: found.left)
  }

  @Sendable private func likely(_ request: Request, _ context: ReviewContext) async throws -> Likely {
    _ = try context.person()
    let label = try context.number("label")
    guard desk.state.withLock({ $0.catalogue.members.indices.contains(label) }) else {
      throw HTTPError(.notFound, message: "There is no such class.")
    }
    return Likely(labels: desk.likelyClasses(of: label))
  }
}
