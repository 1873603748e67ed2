import Testing

@testable import Workspace

@Suite("Verification labels")
struct VerificationTests {
  private let temporary: TemporaryWorkspace
  private let workspace: Workspace
  private let table: String

  init() throws {
    temporary = try TemporaryWorkspace()
    workspace = try temporary.open()
    table = try temporary.write("a.csv", "key,label\nx,a\ny,b\n")
    try importTable(table, into: workspace)
  }

  private func answer(_ answer: VerificationAnswer, sample: Int = 0, label: Int = 0, client: String? = nil)
    throws
  {
    try workspace.addVerifications([
      VerificationRecord(
        sample: sample, label: label, answer: answer, person: "me", origin: .reviewed, dwell: 900,
        client: client)
    ])
  }

  private func verdict() throws -> Bool? { try workspace.verifications().first { $0.sample == 0 }?.isRight }

  @Test("the last answer counts, and a withdrawn or unsure one is none")
  func last() throws {
    #expect(try verdict() == nil)
    try answer(.right)
    #expect(try verdict() == true)
    try answer(.wrong)
    #expect(try verdict() == false)
    try answer(.withdrawn)
    #expect(try verdict() == nil)
    #expect(try workspace.currentAnswers().isEmpty)
    try answer(.right)
    try answer(.unsure)
    #expect(try verdict() == nil)
    #expect(try workspace.currentAnswers().map(\.answer) == [.unsure])
    #expect(
      try workspace.verificationHistory(sample: 0).map(\.answer) == [
        .right, .wrong, .withdrawn, .right, .unsure,
      ])
    #expect(try workspace.verificationHistory(sample: 1).isEmpty)
  }

  @Test("a remark about an image is kept with the answer, and taken back with it")
  func remarks() throws {
    func say(_ remark: VerificationRecord.Remark, client: String) throws {
      try workspace.addVerifications([
        VerificationRecord(
          sample: 0, label: 0, answer: remark.answer, person: "me", origin: .reviewed, client: client,
          remark: remark)
      ])
    }
    func remark() throws -> VerificationRecord.Remark? { try workspace.currentAnswers().first?.remark }
    let before = try workspace.fingerprint(of: .verifications)
    try say(.noClass, client: "1")
    #expect(try remark() == .noClass && verdict() == false)
    let wrong = try workspace.fingerprint(of: .verifications)
    try say(.bad, client: "2")
    #expect(try remark() == .bad && verdict() == nil)
    #expect(try workspace.verifiedImages().images.first?.remark == .bad)
    let bad = try workspace.fingerprint(of: .verifications)
    try say(.exclude, client: "3")
    #expect(Set([before, wrong, bad, try workspace.fingerprint(of: .verifications)]).count == 4)
    _ = try workspace.undoVerifications(.clients(["3"]), by: "me")
    #expect(try remark() == .bad)
    #expect(try workspace.verificationHistory(sample: 0).map(\.remark) == [.noClass, .bad, .exclude, .bad])
    #expect(try workspace.catalogueFindings().isEmpty)
  }

  @Test("an answer on another label does not count until the label is that one")
  func labels() throws {
    try answer(.wrong, label: 0)
    try answer(.right, label: 1)
    #expect(try verdict() == false)
    try temporary.relabel(table, "x", "b", in: workspace)
    #expect(try verdict() == true)
    try temporary.relabel(table, "x", "c", in: workspace)
    #expect(try verdict() == nil)
    try temporary.relabel(table, "x", "a", in: workspace)
    #expect(try verdict() == false)
    #expect(try workspace.status().classes.map(\.samples) == [1, 1, 0])
  }

  @Test("an answer that is sent twice is kept once")
  func idempotent() throws {
    let record = VerificationRecord(
      sample: 0, label: 0, answer: .right, person: "me", origin: .reviewed, client: "17")
    #expect(try workspace.addVerifications([record]) == 1)
    try answer(.wrong, client: "18")
    #expect(try workspace.addVerifications([record, record]) == 0)
    #expect(try verdict() == false)
    #expect(try workspace.verificationHistory().count == 2)
  }

  @Test("answers on samples or classes that are not there are refused, with all that came along")
  func unknown() throws {
    for (sample, label) in [(2, 0), (-1, 0), (0, 2)] {
      let good = VerificationRecord(sample: 0, label: 0, answer: .right, person: "me", origin: .simulated)
      var bad = good
      bad.sample = sample
      bad.label = label
      #expect(try refusal { try workspace.addVerifications([good, bad]) }.kind == .invalidInput)
    }
    #expect(try workspace.verificationHistory().isEmpty)
  }

  @Test("every field of an answer comes back")
  func record() throws {
    try answer(.wrong, client: "c")
    let record = try #require(try workspace.verificationHistory().first)
    #expect(record.person == "me")
    #expect(record.origin == .reviewed)
    #expect(record.dwell == 900)
    #expect(record.client == "c")
  }

  @Test("of several people the last who could tell counts, and a suggestion accepted unseen last of all")
  func voices() throws {
    func say(_ answer: VerificationAnswer, _ person: String, _ origin: VerificationRecord.Origin = .reviewed)
      throws
    {
      try workspace.addVerifications([
        VerificationRecord(sample: 0, label: 0, answer: answer, person: person, origin: origin)
      ])
    }
    func now() throws -> CurrentAnswer? { try workspace.currentAnswers().first }
    try say(.wrong, "Ann", .accepted)
    #expect(try now()?.answer == .wrong)
    #expect(try workspace.verifications().isEmpty)
    try say(.right, "Bob")
    try say(.wrong, "Cid", .accepted)
    try say(.unsure, "Dee")
    #expect(try verdict() == true)
    #expect(try now()?.isDisputed == false)
    try say(.wrong, "Eve")
    #expect(try verdict() == false)
    #expect(try now()?.isDisputed == true)
    try say(.right, "Fay", .settled)
    #expect(try verdict() == true)
    #expect(try now()?.isDisputed == false)
    // After a withdrawal the others' answers count.
    try say(.withdrawn, "Fay")
    try say(.withdrawn, "Eve")
    #expect(try verdict() == true)
    #expect(try now()?.person == "Bob")
  }

  @Test("agreement beyond chance, worked by hand; trials count apart")
  func quality() throws {
    // 20 both right, 15 both wrong, 5 and 10 one alone: p_o = 0.7, p_e = 0.5 × 0.6 + 0.5 × 0.4, kappa 0.4 (Cohen).
    var table = Agreement()
    for (first, second, count) in [(true, true, 20), (false, false, 15), (true, false, 5), (false, true, 10)]
    {
      for _ in 0..<count { table.add(first, second) }
    }
    #expect(abs((table.kappa ?? 0) - 0.4) < 1e-9 && table.agreed == 35 && table.count == 50)
    #expect(Agreement().kappa == nil)
    func say(
      _ answer: VerificationAnswer, sample: Int, label: Int, by person: String,
      _ origin: VerificationRecord.Origin
    )
      throws
    {
      try workspace.addVerifications([
        VerificationRecord(
          sample: sample, label: label, answer: answer, person: person, origin: origin,
          client: "\(person)-\(sample)-\(label)")
      ])
    }
    try say(.right, sample: 0, label: 0, by: "Ann", .reviewed)
    try say(.wrong, sample: 0, label: 0, by: "Bob", .reviewed)
    // One of 25 answers beside none of a trial: Bob's word holds, as the later one.
    #expect(try abs((workspace.slipRates()[0] ?? 0) - 0.5 / 25) < 1e-9)
    let before = try workspace.fingerprint(of: .verifications)
    try say(.right, sample: 1, label: 0, by: "Ann", .trial)
    #expect(try workspace.fingerprint(of: .verifications) != before)
    let found = try workspace.reviewerQuality()
    #expect(found["Ann"]?.trials == 1 && found["Ann"]?.missed == 1 && found["Ann"]?.shared == 1)
    #expect(found["Bob"]?.agreed == 0 && found["Bob"]?.trials == 0)
    try say(.right, sample: 1, label: 1, by: "Ann", .reviewed)
    #expect(try abs((workspace.slipRates()[1] ?? 0) - 1.5 / 26) < 1e-9)
    try say(.right, sample: 1, label: 1, by: "Cy", .imported)
    #expect(try workspace.slipRates()[1] == nil)
    // A trial is no verdict, not even once the label is the one that was asked about.
    try temporary.relabel(self.table, "y", "a", in: workspace)
    #expect(try workspace.currentAnswers().map(\.sample) == [0])
  }

  @Test("all answers of a batch are taken back at once, and no others")
  func batches() throws {
    for (sample, client) in [(0, "batch-1"), (1, "batch-2"), (0, "batches"), (1, "batch")] {
      try answer(.wrong, sample: sample, label: sample, client: client)
    }
    // Answers that were replaced stay replaced.
    #expect(try workspace.undoVerifications(.batch("batch"), by: "me").isEmpty)
    try answer(.right, sample: 0, client: "other-1")
    try answer(.right, sample: 1, label: 1, client: "other-2")
    #expect(try workspace.undoVerifications(.batch("other"), by: "you").isEmpty)
    #expect(try workspace.undoVerifications(.batch("other"), by: "me").map(\.sample).sorted() == [0, 1])
    #expect(try workspace.verifications().map(\.isRight) == [false, false])
  }

  @Test("runs are kept with their outcome")
  func runs() throws {
    let killed = try workspace.beginRun(stage: "train", key: "k1", settings: "{\"steps\":1}")
    let done = try workspace.beginRun(stage: "train", key: "k2")
    try workspace.finishRun(done, .done, metrics: "{\"auroc\":0.9}")
    let failed = try workspace.beginRun(stage: "train", key: "k2")
    try workspace.finishRun(failed, .failed)
    #expect(try workspace.runs(stage: "train").map(\.outcome) == [nil, .done, .failed])
    #expect(try workspace.runs().first?.settings == "{\"steps\":1}")
    #expect(try workspace.finishedRun(stage: "train", key: "k1") == nil)
    #expect(try workspace.finishedRun(stage: "train")?.metrics == "{\"auroc\":0.9}")
    #expect(try workspace.finishedRun(stage: "train", key: "k2")?.id == done)
    #expect(try workspace.runs().map(\.id).first == killed)
  }
}
