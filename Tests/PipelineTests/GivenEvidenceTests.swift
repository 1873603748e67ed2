import Testing
import Torch

@testable import Pipeline

@Suite("Evidence of other models") struct GivenEvidenceTests {
  /// Predictions of the classes at these places among sorted names.
  private func predictions(_ columns: [Int], of count: Int) -> Tensor {
    Tensor(columns).oneHot(classes: count).to(.float32)
  }

  @Test("columns in alphabetical order are found out, and the finding is told")
  func alphabetical() {
    // The workspace numbers classes as they came: zebra 0, ape 1, cat 2.
    let classes = ["zebra", "ape", "cat"]
    let labels = [0, 0, 1, 1, 2, 2]
    let sorted = GivenEvidence.order(
      predictions([2, 2, 0, 0, 1, 1], of: 3), labels: labels, classes: classes)
    #expect(sorted.columns == [2, 0, 1])
    #expect(sorted.note?.contains("alphabetical order: 100 %") == true)
    let own = GivenEvidence.order(
      predictions([0, 0, 1, 1, 2, 2], of: 3), labels: labels, classes: classes)
    #expect(own.columns == [0, 1, 2])
    #expect(own.note?.contains("workspace's order: 100 %") == true)
    let same = GivenEvidence.order(
      predictions([0, 0, 1, 1, 2, 2], of: 3), labels: labels, classes: ["a", "b", "c"])
    #expect(same.note == nil)
  }

  @Test("predictions that have nothing to do with the labels are told")
  func otherRows() {
    let classes = (0..<10).map { "c\($0)" }
    let labels = (0..<100).map { $0 % 10 }
    let wrong = GivenEvidence.order(
      predictions(labels.map { ($0 + 1) % 10 }, of: 10), labels: labels, classes: classes)
    #expect(wrong.note?.contains("check the order of rows and columns") == true)
  }
}
