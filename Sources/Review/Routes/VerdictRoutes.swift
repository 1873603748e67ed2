import Foundation
import Hummingbird
import Workspace

/// Takes in what people say.
struct VerdictRoutes: Sendable {
  let desk: Desk
  let hub: EventHub
  let rejudging: Rejudging
  static let maximumAnswers = 200

  /// One answer, as the page sends it.
  struct Answer: Decodable, Sendable {
    enum Word: String, Codable, Sendable {
      case right, wrong, unsure
    }

    /// Chosen by the page, so that it may send an answer again.
    var client: String
    var image: Int
    /// The class that was judged.
    var label: Int
    var answer: Word
    /// How long the image was looked at, in milliseconds.
    var dwell: Int?
    /// The class that is right.
    var correction: Int?
    /// A further remark about the image.
    var remark: VerificationRecord.Remark?
  }

  struct Answers: Decodable, Sendable {
    var answers: [Answer]
  }

  struct Undo: Decodable, Sendable {
    var clients: [String]?
    var batch: String?
    /// The moment of an action, as the history gives it.
    var at: Double?
  }

  struct Acceptance: Decodable, Sendable {
    /// The page's own name for it, for undoing.
    var batch: String
    /// Nil: of all classes.
    var label: Int?
    /// The least probability that the label is wrong.
    var above: Double
  }

  func add(to router: some RouterMethods<ReviewContext>) {
    router.post("verdicts", use: verdicts)
    router.post("undo", use: undo)
    router.post("suspects/accept", use: accept)
    router.get("suspects/acceptable", use: acceptable)
    router.get("history", use: history)
  }

  @Sendable private func verdicts(_ request: Request, _ context: ReviewContext) async throws -> VerdictReply {
    let session = try context.reviewer().id
    let person = try context.person()
    let answers = try await request.decode(as: Answers.self, context: context).answers
    guard answers.count <= Self.maximumAnswers else {
      throw HTTPError(.contentTooLarge, message: "At most \(Self.maximumAnswers) answers at once.")
    }
    // Answers that are sent together are one action, to be taken back as one.
    let now = Date.now
    let records = try answers.map { try record($0, by: person, in: session, at: now) }
    try await desk.add(records, by: person)
    await hub.announce()
    await rejudging.note()
    return VerdictReply(classes: desk.standings(of: Set(records.map(\.label))))
  }

  /// An answer as it is kept. Why the image was shown is what this server knows of it, never what a browser says.
  private func record(
    _ answer: Answer, by person: String, in session: String, at now: Date
  ) throws -> VerificationRecord {
    try Self.check(answer.client)
    let (samples, classes, pick) = desk.state.withLock {
      (
        $0.catalogue.labels.count, $0.catalogue.classNames.count,
        $0.leases.pick(answer.image, of: session)
      )
    }
    let selection = pick.map(\.selection) ?? .wished
    guard (0..<samples).contains(answer.image), (0..<classes).contains(answer.label) else {
      throw HTTPError(.unprocessableContent, message: "There is no such image or class.")
    }
    if let correction = answer.correction {
      guard (0..<classes).contains(correction), correction != answer.label, answer.answer == .wrong else {
        throw HTTPError(.unprocessableContent, message: "Only a wrong label has another class that is right.")
      }
    }
    if let remark = answer.remark {
      guard remark.answer == answer.answer.stored, answer.correction == nil else {
        throw HTTPError(.unprocessableContent, message: "The remark does not fit the answer.")
      }
    }
    return VerificationRecord(
      sample: answer.image, label: answer.label, answer: answer.answer.stored, person: person, date: now,
      origin: selection == .dispute ? .settled : pick?.label == answer.label ? .trial : .reviewed,
      // A day is no look.
      dwell: answer.dwell.map { min(max($0, 0), 86_400_000) }, client: answer.client,
      correction: answer.correction, selection: selection, remark: answer.remark)
  }

  @Sendable private func undo(_ request: Request, _ context: ReviewContext) async throws -> VerdictReply {
    let person = try context.person()
    let undo = try await request.decode(as: Undo.self, context: context)
    let clients = undo.clients ?? []
    guard clients.count <= Self.maximumAnswers else {
      throw HTTPError(.contentTooLarge, message: "At most \(Self.maximumAnswers) answers at once.")
    }
    for name in clients + (undo.batch.map { [$0] } ?? []) { try Self.check(name) }
    let session = try context.reviewer().id
    var answers = try await desk.undo(.clients(clients), by: person)
    if let batch = undo.batch { answers += try await desk.undo(.batch(batch), by: person) }
    if let moment = undo.at { answers += try await desk.undo(.moment(moment), by: person) }
    await hub.announce()
    await rejudging.note()
    let shown = Array(answers.prefix(BrowseRoutes.maximumImages).reversed())
    let picks = desk.state.withLock { state in
      shown.map { answer in
        state.leases.pick(answer.sample, of: session)
          ?? Desk.Pick(sample: answer.sample, selection: .wished)
      }
    }
    let items = try await desk.items(picks)
    return VerdictReply(
      classes: desk.standings(of: Set(answers.map(\.label))),
      undone: VerdictReply.Undone(
        count: answers.count,
        images: zip(shown, items).map { answer, item in
          VerdictReply.Undone.Image(item: item, answer: Answer.Word(answer.answer))
        }))
  }

  @Sendable private func history(_ request: Request, _ context: ReviewContext) async throws -> History {
    let person = try context.person()
    let limit = min(max(request.uri.queryParameters.get("limit", as: Int.self) ?? 100, 1), 500)
    let workspace = desk.workspace
    let actions = try await Blocking.run { try workspace.actions(of: person, limit: limit) }
    return History(actions: actions.map(History.Action.init))
  }

  @Sendable private func acceptable(
    _ request: Request, _ context: ReviewContext
  ) async throws -> Acceptable {
    _ = try context.person()
    let parameters = request.uri.queryParameters
    guard let above = parameters.get("above", as: Double.self), (0.5...1).contains(above) else {
      throw HTTPError(.unprocessableContent, message: "The probability lies between 0.5 and 1.")
    }
    let found = desk.acceptable(of: parameters.get("class", as: Int.self), above: above)
    // The least certain are the ones to look at.
    let shown = found.suffix(60).reversed()
    return Acceptable(
      count: found.count,
      images: shown.map { .init(image: $0.sample, label: $0.label, suggestion: $0.suggestion) })
  }

  @Sendable private func accept(_ request: Request, _ context: ReviewContext) async throws -> VerdictReply {
    let person = try context.person()
    let acceptance = try await request.decode(as: Acceptance.self, context: context)
    try Self.check(acceptance.batch)
    guard (0.5...1).contains(acceptance.above) else {
      throw HTTPError(.unprocessableContent, message: "The probability lies between 0.5 and 1.")
    }
    let accepted = try await desk.acceptSuggestions(
      of: acceptance.label, above: acceptance.above, batch: acceptance.batch, by: person)
    await hub.announce()
    await rejudging.note()
    return VerdictReply(classes: [], accepted: accepted)
  }

  /// Names that pages choose consist of letters, digits and hyphens; others would collide with our own.
  private static func check(_ client: String) throws {
    let isName = client.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    guard isName, (8...64).contains(client.utf8.count) else {
      throw HTTPError(
        .unprocessableContent, message: "An answer's name has 8 to 64 letters, digits or hyphens.")
    }
  }
}

extension VerdictRoutes.Answer.Word {
  init(_ answer: VerificationAnswer) {
    self = answer.isRight.map { $0 ? .right : .wrong } ?? .unsure
  }

  fileprivate var stored: VerificationAnswer {
    switch self {
    case .right: .right
    case .wrong: .wrong
    case .unsure: .unsure
    }
  }
}
