/// Several runs of one detector in one setting, brought together.
package struct ExperimentSummary: Sendable, Hashable, Codable {
  package var labels: String
  package var verifiedClasses: Int
  package var perClass: Int
  package var detector: String
  package var part: JudgedPart
  package var runs: Int
  /// In percent; mean and 95 % confidence interval over runs.
  package var averageErrorRate: Estimate?
  package var auroc: Estimate?
  package var averagePrecision: Estimate?
  package var calibrationError: Estimate?
  package var seconds: Estimate?
  /// Bytes: the most of all runs.
  package var peakMemory: Int?
  /// In how many runs the guarantee about verified classes was made, and in how many it held.
  package var guarantees = 0
  package var guaranteesHeld = 0

  /// One summary per setting, detector and part, in the order of first appearance.
  package static func of(_ rows: [ExperimentRow]) -> [ExperimentSummary] {
    struct Key: Hashable {
      var labels: String, classes: Int, perClass: Int, detector: String, part: JudgedPart
    }
    func key(_ row: ExperimentRow) -> Key {
      Key(
        labels: row.labels, classes: row.verifiedClasses, perClass: row.perClass, detector: row.detector,
        part: row.part)
    }
    let groups = Dictionary(grouping: rows, by: key)
    var seen = Set<Key>()
    return rows.map(key).filter { seen.insert($0).inserted }.map { key in
      let runs = groups[key] ?? []
      func estimate(_ value: (ExperimentRow) -> Double?) -> Estimate? {
        Estimate(runs: runs.compactMap(value).filter(\.isFinite))
      }
      return ExperimentSummary(
        labels: key.labels, verifiedClasses: key.classes, perClass: key.perClass, detector: key.detector,
        part: key.part, runs: runs.count, averageErrorRate: estimate { $0.metrics.averageErrorRate },
        auroc: estimate { $0.metrics.auroc }, averagePrecision: estimate { $0.metrics.averagePrecision },
        calibrationError: estimate { $0.metrics.calibrationError }, seconds: estimate { $0.seconds },
        peakMemory: runs.compactMap(\.peakMemory).max(), guarantees: runs.count { $0.guarantee != nil },
        guaranteesHeld: runs.count { $0.guarantee?.holds == true })
    }
  }
}
