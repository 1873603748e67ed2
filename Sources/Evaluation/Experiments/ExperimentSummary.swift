/// Several runs of one detector in one setting, brought together.
public struct ExperimentSummary: Sendable, Hashable, Codable {
  public var labels: String
  public var verifiedClasses: Int
  public var perClass: Int
  public var detector: String
  public var part: JudgedPart
  public var runs: Int
  /// In percent; mean and 95 % confidence interval over runs.
  public var averageErrorRate: Estimate?
  public var auroc: Estimate?
  public var averagePrecision: Estimate?
  public var calibrationError: Estimate?
  public var seconds: Estimate?
  /// Bytes: the most of all runs.
  public var peakMemory: Int?
  /// In how many runs the guarantee about verified classes was made, and in how many it held.
  public var guarantees = 0
  public var guaranteesHeld = 0

  /// One summary a setting, detector and part, in the order of first appearance.
  public static func of(_ rows: [ExperimentRow]) -> [ExperimentSummary] {
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
