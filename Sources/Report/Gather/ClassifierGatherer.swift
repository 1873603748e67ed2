import Evaluation
import Foundation
import Workspace

/// The results of classifiers, from the records of runs whose stage begins with `classify`.
///
/// Comparisons are records with `runs`, each with `weights` and `top1`. Curves are lists of objects: a record's `epochs`
/// with the number `epoch`, or its `rounds` with the number `round`, and further numbers, of which losses, accuracies,
/// gains and noise are shown.
struct ClassifierGatherer {
  let workspace: Workspace

  private struct Comparison: Decodable {
    struct Run: Decodable {
      var weights: String
      var top1: Estimate
    }
    var runs: [Run]
    var gainShare: [String: Double]?
    var testImages: Int?
  }

  func classifiers() throws -> [ClassifierRun] {
    try workspace.runs().filter { $0.stage.hasPrefix("classify") && $0.outcome == .done }.suffix(6)
      .compactMap { run in
        guard let metrics = run.metrics else { return nil }
        let data = Data(metrics.utf8)
        let comparison = try? JSONDecoder().decode(Comparison.self, from: data)
        let record = ClassifierRun(
          stage: run.stage, date: run.started, weights: Self.weights(data),
          testImages: comparison?.testImages,
          rows: (comparison?.runs ?? []).map {
            ClassifierRun.Row(
              weights: $0.weights, top1: $0.top1, gainShare: comparison?.gainShare?[$0.weights])
          },
          curves: Self.curves(data))
        return record.rows.isEmpty && record.curves.isEmpty ? nil : record
      }
  }

  private static func weights(_ data: Data) -> String? {
    struct Trained: Decodable { var weights: String }
    return try? JSONDecoder().decode(Trained.self, from: data).weights
  }

  private static let shown = ["loss", "top1", "gain", "noise"]

  private static func curves(_ data: Data) -> [ClassifierRun.Curve] {
    guard let record = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let (steps, axis) = [("epochs", "epoch"), ("rounds", "round")].lazy.compactMap({ name, axis in
        (record[name] as? [[String: Any]]).map { ($0, axis) }
      }).first
    else { return [] }
    let names = Set(steps.flatMap(\.keys)).sorted().filter { name in
      shown.contains { name.lowercased().contains($0) }
    }
    return names.compactMap { name in
      let points = steps.compactMap { step in
        (step[axis] as? Double).flatMap { x in (step[name] as? Double).map { [x, $0] } }
      }
      return points.count > 1 ? ClassifierRun.Curve(name: name, points: points) : nil
    }
  }
}
