import Foundation
import Testing
import Torch
import Workspace

@testable import Review

@Suite struct QueueTests {
  /// Three groups of points on a plane, of 60, 30 and 10.
  private func groups() -> (features: DenseFeatures, group: [Int]) {
    var random = SplitMix64(seed: 3)
    let group = (0..<100).map { $0 < 60 ? 0 : $0 < 90 ? 1 : 2 }
    let values = group.flatMap { group -> [Double] in
      let angle = Double(group) * 2 + Double.random(in: -0.1...0.1, using: &random)
      return [cos(angle), sin(angle)]
    }
    return (DenseFeatures(Tensor(values, shape: [100, 2])), group)
  }

  @Test func theLargestGroupIsWhatTheClassLooksLike() {
    let (features, group) = groups()
    let clusters = ClassClusters(Array(0..<100), features: features, seed: 1)
    // The smallest may be of wrong labels.
    #expect(clusters.central.prefix(2).allSatisfy { group[$0] != 2 } && !clusters.central.isEmpty)
  }

  @Test func imagesAreShownAsTheyAreDrawn() {
    let order = DrawOrder(seed: 3)
    let entries = ImageOrder(Array(5..<50), drawnBy: order, scores: nil).entries
    #expect(entries.map(\.sample) == order.sorted(5..<50))
    #expect(entries.allSatisfy { $0.selection == .drawn })
  }

  @Test func imagesWithoutFeaturesComeToo() {
    var values = (0..<40).flatMap { row -> [Double] in [Double(row % 7), 1] }
    values[10] = .nan
    let features = DenseFeatures(Tensor(values, shape: [40, 2]))
    let clusters = ClassClusters(Array(0..<45), features: features, seed: 1)
    #expect(clusters.clusters.joined().sorted() == Array(0..<45))
    #expect(!clusters.central.contains(5))
    #expect(ClassClusters([3, 1, 2], features: nil, seed: 1).clusters.map { $0.sorted() } == [[1, 2, 3]])
  }

  @Test func classesThatDifferComeFirst() {
    // Classes 0 and 1 look alike, 2 and 3 unlike both and each other.
    let angles = [0.0, 0.15, 2.1, 4.2]
    let values = (0..<40).flatMap { row -> [Double] in
      let angle = angles[row / 10] + Double(row % 10) * 0.002
      return [cos(angle), sin(angle)]
    }
    let members = (0..<4).map { Array(($0 * 10)..<($0 * 10 + 10)) }
    let geometry = ClassGeometry(DenseFeatures(Tensor(values, shape: [40, 2])), members: members)
    func standing(_ label: Int, verified: Int = 0) -> ClassRanking.Standing {
      .init(label: label, name: "c\(label)", images: 100, verified: verified)
    }
    let cold = ClassRanking(classes: (0..<4).map { standing($0) }, geometry: geometry)(
      isScored: false, limit: 4)
    #expect(Set(cold.prefix(3).map(\.label)).isSuperset(of: [2, 3]))
    #expect([0, 1].contains(cold[3].label))
    let begun = [standing(0, verified: 50), standing(1), standing(2, verified: 5), standing(3)]
    let next = ClassRanking(classes: begun, geometry: geometry)(isScored: false, limit: 4)
    #expect(next.map(\.label) == [2, 3, 1])
    #expect(next.map(\.reason) == [.begun, .diverse, .diverse])
  }

  @Test func afterTrainingDoubtDecides() {
    func standing(
      _ label: Int, _ doubt: Double, verified: Int = 0, contradictions: Double = 0, disagreement: Double = 0
    )
      -> ClassRanking.Standing
    {
      .init(
        label: label, name: "c\(label)", images: 200, verified: verified, doubt: doubt,
        contradictions: contradictions, disagreement: disagreement)
    }
    let ranking = ClassRanking(
      classes: [
        standing(0, 0.02), standing(1, 0.2, verified: 200), standing(2, 0.2), standing(3, 0.2, verified: 50),
        standing(4, 0.02, contradictions: 0.3), standing(5, 0.02, disagreement: 0.2),
      ], geometry: nil)
    let queue = ranking(isScored: true, limit: 9)
    // The first was verified to its last image.
    #expect(queue.map(\.label) == [2, 3, 4, 5, 0])
    #expect(queue.map(\.reason) == [.doubtful, .doubtful, .contradictory, .disagreeing, .doubtful])
    #expect(queue[0].why.contains("20 of 100"))
  }

  @Test func classesOfAFewImagesComeLast() {
    func standing(_ label: Int, images: Int, doubt: Double? = nil) -> ClassRanking.Standing {
      .init(
        label: label, name: "c\(label)", images: images, verified: 0, doubt: doubt, contradictions: nil,
        disagreement: nil)
    }
    // The class of three images lies farthest from the others.
    let angles = [0.0, 1.0, 3.6, 0.5]
    let values = (0..<40).flatMap { row -> [Double] in
      let angle = angles[row / 10] + Double(row % 10) * 0.002
      return [cos(angle), sin(angle)]
    }
    let members = (0..<4).map { Array(($0 * 10)..<($0 * 10 + 10)) }
    let geometry = ClassGeometry(DenseFeatures(Tensor(values, shape: [40, 2])), members: members)
    let images = [100, 100, 3, 100]
    let cold = ClassRanking(classes: (0..<4).map { standing($0, images: images[$0]) }, geometry: geometry)(
      isScored: false, limit: 4)
    #expect(cold.count == 4 && cold[0].label != 2 && cold[1].label != 2)
    let later = ClassRanking(
      classes: (0..<4).map { standing($0, images: images[$0], doubt: $0 == 2 ? 0.3 : 0.1) },
      geometry: nil)(isScored: true, limit: 4)
    #expect(later.last?.label == 2)
    #expect(0.0034.counted == "3 of 1,000" && 0.25.counted == "25 of 100")
  }

  @Test func outlooksExtrapolate() {
    typealias Moment = Outlook.Moment
    // Halved by every doubling: b near 1, less what the usual decline holds against it.
    let steep = [50, 100, 200, 400].map { Moment(verified: $0, expected: 10 / Double($0)) }
    let decline = Outlook.decline(steep)
    #expect((0.7..<1).contains(decline))
    #expect(abs(Outlook.decline([]) - 0.15) < 1e-9)
    #expect(
      Outlook.decline([Moment(verified: 50, expected: 0.1), Moment(verified: 100, expected: 0.3)]) == 0)

    let going = Outlook(
      measured: nil, expected: 0.2, expectedUnverified: nil, history: steep, verified: 400, next: ["a", "b"])
    #expect(!going.isEnough && going.advice.contains("a and b"))
    #expect(abs((going.after ?? 0) - 0.2 * pow(0.8, decline)) < 1e-9)
    let enough = Outlook(
      measured: nil, expected: 0.01, expectedUnverified: nil, history: [], verified: 400, next: [])
    #expect(enough.isEnough)
    // The interval holds whenever people stop, so it is wider than Wilson's 11.2–33.0 %.
    let measured = Outlook.Measured(wrong: 10, images: 50, classes: 2)
    #expect(measured.error == 0.2 && measured.low < 0.1124 && measured.high > 0.3304)
    #expect(measured.low > 0.05 && measured.high < 0.45)
  }

  @Test func leasesEnd() {
    var leases = Leases()
    let now = ContinuousClock.now
    leases.take([1, 2].map { Desk.Pick(sample: $0, selection: .suspect) }, for: "a", at: now)
    #expect(leases.isElsewhere(1, than: "b", at: now) && !leases.isElsewhere(1, than: "a", at: now))
    #expect(!leases.isElsewhere(1, than: "b", at: now + Leases.duration))
    leases.release([1])
    #expect(!leases.isElsewhere(1, than: "b", at: now) && leases.isElsewhere(2, than: "b", at: now))
    #expect(leases.pick(1, of: "a")?.selection == .suspect && leases.pick(1, of: "b") == nil)
  }

  @Test func pace() {
    var pace = Pace()
    let start = Date(timeIntervalSince1970: 0)
    pace.add(1, by: "Ann", at: start)
    #expect(pace.perMinute(of: "Ann", at: start) == nil)
    for second in 1...30 { pace.add(2, by: "Ann", at: start + Double(second)) }
    #expect(pace.perMinute(of: "Ann", at: start + 30) == 120)
    #expect(pace.perMinute(of: "Ann", at: start + 1000) == nil)
  }

  @Test func keysMayBeOthers() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    let source = KeyBindings.Source(file: file.path)
    #expect(try source.read() == KeyBindings(keys: KeyBindings.standard))
    try Data(#"{"right": ["j"], "jump": ["k"]}"#.utf8).write(to: file)
    let own = try source.read()
    #expect(own.keys["right"] == ["j"] && own.keys["wrong"] == KeyBindings.standard["wrong"])
    #expect(own.problem?.contains("jump") == true)
    try Data("nonsense".utf8).write(to: file)
    #expect(try source.read().problem?.contains(file.path) == true)
  }
}
