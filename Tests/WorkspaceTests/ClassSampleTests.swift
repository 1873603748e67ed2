import Foundation
import Testing

@testable import Workspace

@Suite("Random samples")
struct ClassSampleTests {
  private let temporary: TemporaryWorkspace
  private let workspace: Workspace
  private let order: DrawOrder
  /// The images of class 0 in the order of drawing: all but those of the split `test`.
  private let line: [Int]

  init() throws {
    temporary = try TemporaryWorkspace()
    workspace = try temporary.open()
    try importTable(try temporary.table("t", count: 90), into: workspace)
    order = try workspace.chooseDrawOrder(seed: 7)
    line = order.sorted((0..<90).filter { $0 % 3 == 0 && $0 % 5 != 0 })
  }

  private func say(
    _ answer: VerificationAnswer, _ samples: some Sequence<Int>, _ selection: VerificationRecord.Selection?,
    by person: String = "Ann", origin: VerificationRecord.Origin = .reviewed
  ) throws {
    try workspace.addVerifications(
      samples.map { sample in
        VerificationRecord(
          sample: sample, label: sample % 3, answer: answer, person: person, origin: origin,
          client: "c-\(person)-\(sample)-\(answer)", selection: selection)
      })
  }

  private func drawn() throws -> [Int] { try workspace.verifiedImages().samples.first?.drawn ?? [] }

  @Test("the sample is the answered beginning of the order, whatever route answered it")
  func routes() throws {
    try say(.right, line[..<6], .drawn)
    #expect(try drawn() == Array(line[..<6]))
    #expect(try workspace.verifiedImages().samples.first?.images == 24)
    // Suspects on both sides: they keep their places, and carry the sample no farther.
    try say(.wrong, [line[6], line[8], line[20]], .suspect)
    #expect(try drawn() == Array(line[..<6]))
    try say(.right, [line[7], line[9], line[10]], .drawn)
    // The last one drawn is left out, as the images before it were not all drawn.
    #expect(try drawn() == Array(line[..<10]))
    // Second opinions, disputes and another look take nothing away.
    try say(.wrong, [line[0], line[3]], .suspect, by: "Bob")
    try say(.wrong, [line[0]], .dispute, by: "Cid", origin: .settled)
    try say(.wrong, [line[2]], .wished)
    #expect(try drawn() == Array(line[..<10]))
    let images = try workspace.verifiedImages().images
    #expect(Set(images.filter(\.isDrawn).map(\.sample)) == Set(line[..<10]))
    #expect(images.count == 12)
  }

  @Test("unsure is an answer; accepting unseen and taking back are none")
  func holes() throws {
    try say(.right, line[..<5], .drawn)
    try say(.unsure, line[5..<6], .drawn)
    try say(.right, line[6..<8], .drawn)
    #expect(try drawn() == Array(line[..<8]))
    #expect(try workspace.verifiedImages().images.first { $0.sample == line[5] }?.answer == .unsure)
    // For bounds, who could not tell has not found the label right.
    let answers = try workspace.randomSampleAnswers()
    #expect(Set(answers.map(\.sample)) == Set(line[..<8]))
    #expect(answers.filter { !$0.isKnownRight }.map(\.sample) == [line[5]])
    #expect(answers.filter { !$0.isSure }.map(\.sample) == [line[5]])
    let before = try workspace.fingerprint(of: .verifications)
    _ = try workspace.undoVerifications(.clients(["c-Ann-\(line[3])-right"]), by: "Ann")
    #expect(try drawn() == Array(line[..<3]))
    #expect(try workspace.fingerprint(of: .verifications) != before)
    try say(.wrong, line[3..<4], .suspect, origin: .accepted)
    #expect(try drawn() == Array(line[..<3]))
    // It had been drawn, so that whoever answers it now closes the gap.
    try say(.wrong, line[3..<4], .suspect, by: "Bob")
    #expect(try drawn() == Array(line[..<8]))
  }

  @Test("verdicts of unknown origin stand for nothing, declared ones do, and classes are told apart")
  func origins() throws {
    try say(.right, [0 + 3, 6], nil)
    #expect(try workspace.verifiedImages().samples.isEmpty)
    let declared = [1, 4, 7]
    try say(.wrong, declared, .declared)
    try say(.right, line[..<2], .drawn)
    let samples = try workspace.verifiedImages().samples
    #expect(samples.map(\.label) == [0, 1])
    #expect(Set(samples[1].drawn) == Set(declared) && samples[1].images == 24)
    // Another look at it later changes nothing.
    try say(.right, [1], .suspect)
    #expect(Set(try workspace.verifiedImages().samples[1].drawn) == Set(declared))
  }

  @Test("images that cannot be shown are no part of the class")
  func unreadable() throws {
    try say(.right, line[..<3] + line[4..<6], .drawn)
    #expect(try drawn() == Array(line[..<3]))
    try workspace.addProblems([SampleProblem(sample: line[3], stage: "embed", what: "cannot be decoded")])
    #expect(try drawn() == Array(line[..<3] + line[4..<6]))
    #expect(try workspace.verifiedImages().samples.first?.images == 23)
  }

  @Test("the first seed holds")
  func seed() throws {
    #expect(try workspace.chooseDrawOrder(seed: 9) == DrawOrder(seed: 7))
    #expect(try workspace.drawOrder() == order)
    let early = (0..<200).map { DrawOrder(seed: UInt64($0)).sorted(0..<20)[0] }
    // 10 expected for each image, deviation 3.1.
    #expect((0..<20).allSatisfy { image in (1...25).contains(early.count { $0 == image }) })
  }

  /// The experiment by which the older way of counting was found wrong: pages drawn at random, then all suspects, then
  /// further pages. Suspects are three of four wrong labels and a few right ones.
  @Test("the share found wrong is right on average", arguments: [0, 2])
  func unbiased(pagesBefore: Int) {
    let count = 120
    var shares: [Double] = []
    for seed in 0..<600 {
      let order = DrawOrder(seed: UInt64(seed))
      func isWrong(_ sample: Int) -> Bool { sample % 4 == 0 }
      func isSuspect(_ sample: Int) -> Bool { isWrong(sample) ? sample % 16 != 0 : sample % 20 == 1 }
      var answers: [Int: CurrentAnswer] = [:]
      func answer(_ sample: Int, _ selection: VerificationRecord.Selection) {
        answers[sample] = CurrentAnswer(
          sample: sample, label: 0, answer: .init(isRight: !isWrong(sample)), person: "Ann", date: .now,
          origin: .reviewed, selection: selection, isDisputed: false, wasDrawn: selection == .drawn,
          isDeclared: false)
      }
      func pages(_ pages: Int) {
        for sample in order.sorted(0..<count).filter({ answers[$0] == nil }).prefix(pages * 8) {
          answer(sample, .drawn)
        }
      }
      pages(pagesBefore)
      for sample in 0..<count where answers[sample] == nil && isSuspect(sample) { answer(sample, .suspect) }
      pages(2)
      let sample = ClassSample(label: 0, members: Array(0..<count), order: order) { answers[$0] }
      #expect(sample.drawn.count >= (pagesBefore + 2) * 8 - 1)
      shares.append(Double(sample.drawn.count { isWrong($0) }) / Double(sample.drawn.count))
    }
    let mean = shares.reduce(0, +) / Double(shares.count)
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(shares.count - 1)
    #expect(abs(mean - 0.25) < 3.3 * (variance / Double(shares.count)).squareRoot(), "\(mean)")
  }
}
