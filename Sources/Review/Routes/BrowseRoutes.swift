import Foundation
import Hummingbird
import Workspace

/// The lists to look at: classes, the queue, images, references, suspects, disagreements.
struct BrowseRoutes: Sendable {
  let desk: Desk
  let retraining: Retraining
  let warmer: ThumbnailWarmer
  /// The least time that a person needs to look at an image, in seconds.
  let glance: Double
  /// The most images in one reply.
  static let maximumImages = 120

  func add(to router: some RouterMethods<ReviewContext>) {
    router.get("overview", use: overview)
    router.get("queue", use: queue)
    router.get("classes/:label/images", use: images)
    router.get("classes/:label/references", use: classReferences)
    router.get("suspects", use: suspects)
    router.get("disputes", use: disputes)
    router.get("reviewers/quality", use: quality)
  }

  @Sendable private func overview(_ request: Request, _ context: ReviewContext) async throws -> Overview {
    try await desk.refresh()
    let workspace = desk.workspace
    let trained = try await Blocking.run { try Self.verifiedAtTraining(workspace) }
    let status = await retraining.status
    return desk.state.withLock { state in
      let verified = state.answers.tallies.reduce(0) { $0 + $1.verified }
      return Overview(
        workspace: URL(fileURLWithPath: workspace.path).lastPathComponent,
        classes: state.catalogue.classes.map { label in
          Overview.Class(
            label: label, name: state.catalogue.classNames[label],
            images: state.catalogue.members[label].count,
            tally: state.answers.tallies[label], noise: state.figures[label]?.noise)
        },
        people: state.answers.people.map { person in
          Overview.Person(
            name: person.name, answers: person.answers, perMinute: state.pace.perMinute(of: person.name))
        },
        isScored: state.scores != nil, isLive: state.scores?.isLive ?? false,
        sinceTraining: trained.map { max(0, verified - $0) },
        retraining: status, hasFeatures: state.geometry != nil,
        pictures: state.pictures, glance: glance)
    }
  }

  /// How carefully each person answers. Nobody's own opinion of single images is told.
  @Sendable private func quality(_ request: Request, _ context: ReviewContext) async throws -> People {
    _ = try context.person()
    try await desk.refresh()
    let workspace = desk.workspace
    let known = try await Blocking.run { try workspace.reviewerQuality() }
    return desk.state.withLock { state in
      People(
        people: state.answers.people.map { person in
          Overview.Person(
            name: person.name, answers: person.answers, perMinute: state.pace.perMinute(of: person.name),
            quality: known[person.name].map(Overview.Quality.init))
        })
    }
  }

  /// How many verdicts the last model was trained on.
  private static func verifiedAtTraining(_ workspace: Workspace) throws -> Int? {
    struct Metrics: Decodable {
      var verified: Int
    }
    guard let metrics = try workspace.finishedRun(stage: "train")?.metrics else { return nil }
    return try JSONDecoder().decode(Metrics.self, from: Data(metrics.utf8)).verified
  }

  @Sendable private func queue(_ request: Request, _ context: ReviewContext) async throws -> QueueReply {
    try await desk.refresh()
    let entries = desk.queue(limit: 12)
    prepare(entries)
    let shared = (try? context.person()).map { person in
      desk.state.withLock { Desk.shared($0, open: person).count }
    }
    return QueueReply(entries: entries, outlook: try await desk.outlook(), shared: shared ?? 0)
  }

  /// Makes ready what a reviewer will most likely see next.
  private func prepare(_ entries: [QueueEntry]) {
    let desk = desk
    let warmer = warmer
    Task(priority: .utility) {
      // The thumbnail that was wished last is made first.
      for (place, entry) in entries.prefix(3).enumerated().reversed() {
        await warmer.warm(try await desk.peek(entry.label, count: place == 0 ? 60 : 24))
      }
    }
  }

  @Sendable private func images(_ request: Request, _ context: ReviewContext) async throws -> ImageBatch {
    let session = try context.reviewer()
    let person = try context.person()
    let label = try label(context)
    let query = ImageQuery(request)
    let (picks, left) = try await desk.pick(
      label, count: query.count, without: query.without, session: session.id, person: person)
    return try await batch(picks, left: left)
  }

  @Sendable private func suspects(_ request: Request, _ context: ReviewContext) async throws -> ImageBatch {
    let session = try context.reviewer()
    let person = try context.person()
    let query = ImageQuery(request)
    let label = request.uri.queryParameters.get("class", as: Int.self)
    let suggestion = request.uri.queryParameters.get("suggestion", as: Int.self)
    let (picks, left) = desk.suspects(
      of: label, suggestion: suggestion, count: query.count, without: query.without, session: session.id,
      person: person)
    return try await batch(picks, left: left)
  }

  private func batch(_ picks: [Desk.Pick], left: Int) async throws -> ImageBatch {
    // The browser asks for these at once, and should not have to share.
    await warmer.rest()
    let items = try await desk.items(picks)
    return ImageBatch(images: items, left: left)
  }

  @Sendable private func classReferences(
    _ request: Request, _ context: ReviewContext
  ) async throws -> ImageBatch {
    let label = try label(context)
    let samples = try await desk.references(of: label)
    let picks = samples.map { Desk.Pick(sample: $0, selection: .wished) }
    return ImageBatch(images: try await desk.items(picks), left: samples.count)
  }

  private func label(_ context: ReviewContext) throws -> Int {
    let label = try context.number("label")
    guard desk.state.withLock({ $0.catalogue.members.indices.contains(label) }) else {
      throw HTTPError(.notFound, message: "There is no such class.")
    }
    return label
  }

  @Sendable private func disputes(_ request: Request, _ context: ReviewContext) async throws -> Disputes {
    let session = try context.reviewer().id
    try await desk.refresh()
    return try await desk.disputes(limit: Self.maximumImages, session: session)
  }
}

/// All who have answered.
struct People: ResponseEncodable, Sendable {
  var people: [Overview.Person]
}

/// How many images are wished, and which not.
struct ImageQuery {
  let count: Int
  let without: Set<Int>

  init(_ request: Request) {
    let parameters = request.uri.queryParameters
    count = min(max(parameters.get("count", as: Int.self) ?? 24, 1), BrowseRoutes.maximumImages)
    without = Set((parameters.get("without") ?? "").split(separator: ",").prefix(500).compactMap { Int($0) })
  }
}

/// Images on which people disagree.
struct Disputes: ResponseEncodable, Sendable {
  struct Dispute: Sendable, Codable {
    var item: ImageItem
    /// How many people have answered; who said what is not told before it is settled.
    var voices: Int
  }

  var disputes: [Dispute]
  /// How many there are in all.
  var count: Int
}

extension Desk {
  func disputes(limit: Int, session: String) async throws -> Disputes {
    let (shown, count) = state.withLock { state in
      let disputed = state.answers.current.values.filter(\.isDisputed).map(\.sample).sorted()
      let shown = Array(disputed.prefix(limit))
      state.leases.take(shown.map { Pick(sample: $0, selection: .dispute) }, for: session)
      return (shown, disputed.count)
    }
    let workspace = workspace
    let voices = try await Blocking.run { try workspace.voices(on: shown) }
    let items = try await items(shown.map { Pick(sample: $0, selection: .dispute) })
    let disputes = items.map { item in
      Disputes.Dispute(item: item, voices: (voices[item.image] ?? []).count { $0.answer.isRight != nil })
    }
    return Disputes(disputes: disputes, count: count)
  }
}
