import Foundation
import Hummingbird
import Workspace

/// Takes in what people say.
struct VerdictRoutes: Sendable {
  let desk: Desk
  let hub: EventHub
  static let maximumAnswers = 200

  /// One answer, as the page sends it.
  struct Answer: Decodable, Sendable {
    enum Word: String, Decodable, Sendable {
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
  }

  struct Answers: Decodable, Sendable {
    var answers: [Answer]
  }

  struct Undo: Decodable, Sendable {
    var clients: [String]?
    var batch: String?
  }

  struct Acceptance: Decodable, Sendable {
    /// What the page calls it, for undoing.
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
  }

  @Sendable private func verdicts(_ request: Request, _ context: ReviewContext) async throws -> VerdictReply {
    let (session, person) = (try context.reviewer().id, try context.person())
    let answers = try await request.decode(as: Answers.self, context: context).answers
    guard answers.count <= Self.maximumAnswers else {
      throw HTTPError(.contentTooLarge, message: "At most \(Self.maximumAnswers) answers at once.")
    }
    let records = try answers.map { try record($0, by: person, in: session) }
    try await desk.add(records, by: person)
    await hub.announce()
    return VerdictReply(classes: desk.standings(of: Set(records.map(\.label))))
  }

  /// An answer as it is kept. Why the image was shown is what this server knows of it, never what a browser says.
  private func record(_ answer: Answer, by person: String, in session: String) throws -> VerificationRecord {
    try Self.check(answer.client)
    let (samples, classes, selection) = desk.state.withLock {
      (
        $0.catalogue.labels.count, $0.catalogue.classNames.count,
        $0.leases.selection(of: answer.image, to: session) ?? .wished
      )
    }
    guard (0..<samples).contains(answer.image), (0..<classes).contains(answer.label) else {
      throw HTTPError(.unprocessableContent, message: "There is no such image or class.")
    }
    if let correction = answer.correction {
      guard (0..<classes).contains(correction), correction != answer.label, answer.answer == .wrong else {
        throw HTTPError(.unprocessableContent, message: "Only a wrong label has another class that is right.")
      }
    }
    return VerificationRecord(
      sample: answer.image, label: answer.label, answer: answer.answer.stored, person: person,
      origin: selection == .dispute ? .settled : .reviewed,
      // A day is no look.
      dwell: answer.dwell.map { min(max($0, 0), 86_400_000) }, client: answer.client,
      correction: answer.correction, selection: selection)
  }

  @Sendable private func undo(_ request: Request, _ context: ReviewContext) async throws -> VerdictReply {
    let person = try context.person()
    let undo = try await request.decode(as: Undo.self, context: context)
    let clients = undo.clients ?? []
    guard clients.count <= Self.maximumAnswers else {
      throw HTTPError(.contentTooLarge, message: "At most \(Self.maximumAnswers) answers at once.")
    }
    for name in clients + (undo.batch.map { [$0] } ?? []) { try Self.check(name) }
    var samples = try await desk.undo(.clients(clients), by: person)
    if let batch = undo.batch { samples += try await desk.undo(.batch(batch), by: person) }
    await hub.announce()
    let labels = desk.state.withLock { state in Set(samples.map { state.catalogue.labels[$0] }) }
    return VerdictReply(classes: desk.standings(of: labels.filter { $0 >= 0 }), undone: samples)
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
    return VerdictReply(classes: [], accepted: accepted)
  }

  /// Names that pages choose are of letters, digits and hyphens; others would collide with our own.
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
  fileprivate var stored: VerificationAnswer {
    switch self {
    case .right: .right
    case .wrong: .wrong
    case .unsure: .unsure
    }
  }
}
