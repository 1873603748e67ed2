import CleanNet

/// The plots of an evaluation.
extension LinePlot {
  /// ROC curves of several detectors on the same images, the area in the legend.
  package static func roc(_ rankings: [(name: String, ranking: Ranking)], title: String = "ROC") -> LinePlot {
    LinePlot(
      title: title, xLabel: "share of right labels called wrong", yLabel: "share of wrong labels found",
      lines: rankings.map { name, ranking in
        Line(
          name: "\(name) \(rounded(ranking.auroc))",
          points: ranking.rocCurve.map { Point(x: $0.x, y: $0.y) })
      },
      xRange: 0...1, yRange: 0...1, showsChance: true)
  }

  /// Precision–recall curves of finding wrong labels, the average precision in the legend.
  package static func precisionRecall(
    _ rankings: [(name: String, ranking: Ranking)], title: String = "Precision and recall"
  ) -> LinePlot {
    LinePlot(
      title: title, xLabel: "recall: share of wrong labels found",
      yLabel: "precision: share of the labels called wrong that are wrong",
      lines: rankings.map { name, ranking in
        Line(
          name: "\(name) \(rounded(ranking.averagePrecision))",
          points: ranking.precisionRecallCurve.map { Point(x: $0.x, y: $0.y) })
      },
      xRange: 0...1, yRange: 0...1)
  }

  /// The average error rate of several detectors over a number of verified classes or images, with intervals.
  package static func error(
    _ series: [(name: String, errors: [(verified: Double, error: Estimate)])], over xLabel: String,
    title: String = "Average error rate"
  ) -> LinePlot {
    LinePlot(
      title: title, xLabel: xLabel, yLabel: "average error rate in %",
      lines: series.map { name, errors in
        Line(
          name: name,
          points: errors.map {
            Point(x: $0.verified, y: $0.error.mean, low: $0.error.low, high: $0.error.high)
          },
          hasMarks: true)
      })
  }

  /// ".957", or nothing where there is no value.
  private static func rounded(_ value: Double?) -> String {
    guard let value else { return "" }
    let thousandths = Int((value * 1000).rounded())
    return thousandths >= 1000
      ? "1.000" : "." + String(repeating: "0", count: 3 - "\(thousandths)".count) + "\(thousandths)"
  }
}
