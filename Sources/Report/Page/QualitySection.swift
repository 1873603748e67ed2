import Evaluation

/// How far the judgement can be trusted, where the truth is known.
struct QualitySection {
  let data: ReportData

  var section: Page.Section? {
    guard !data.quality.isEmpty else { return nil }
    return Page.Section(
      id: "quality", title: "How good are the judgements?",
      content: """
        <p>\(explanations)</p>
        <div class="scroll" tabindex="0" role="region" aria-label="Table of metrics"><table>\
        <caption>Finding wrong labels</caption><thead><tr><th scope="col">Images</th><th scope="col">Judged</th>\
        <th scope="col">Wrong</th><th scope="col">AUROC</th><th scope="col">Average precision</th>\
        <th scope="col">Precision</th><th scope="col">Recall</th><th scope="col">Error by class</th>\
        <th scope="col">Calibration error</th></tr></thead>\
        <tbody>\(data.quality.indices.map(row))</tbody></table></div>
        <p class="key">\(legend)</p>
        <div class="plots">\(plots.map(Self.panel))</div>
        """)
  }

  private var explanations: HTML {
    data.quality.map { "<b>\($0.name)</b>: \($0.explanation) " as HTML }.reduce("") { $0 + $1 }
  }

  private func row(_ place: Int) -> HTML {
    let quality = data.quality[place]
    let at = "/quality/\(place)"
    let metrics = quality.metrics
    let own = "/quality/\(place)/metrics"
    let interval: HTML =
      quality.auroc.map {
        """
         <small>(\(Figure.decimal($0.low, "\(at)/auroc/low"))–\(Figure.decimal($0.high, "\(at)/auroc/high")))</small>
        """
      } ?? ""
    return """
      <tr><th scope="row">\(quality.name)</th><td>\(Figure.count(metrics.images, "\(own)/images"))</td>\
      <td>\(Figure.count(metrics.wrong, "\(own)/wrong"))</td>\
      <td>\(Figure.decimal(metrics.auroc, "\(own)/auroc"))\(interval)</td>\
      <td>\(Figure.decimal(metrics.averagePrecision, "\(own)/averagePrecision"))</td>\
      <td>\(Figure.percent(metrics.precision, "\(own)/precision"))</td>\
      <td>\(Figure.percent(metrics.recall, "\(own)/recall"))</td>\
      <td>\(Figure.decimal(metrics.averageErrorRate, "\(own)/averageErrorRate", digits: 1)) %</td>\
      <td>\(Figure.percent(metrics.calibrationError, "\(own)/calibrationError"))</td></tr>
      """
  }

  /// Which line is which, for all plots.
  private var legend: HTML {
    data.quality.enumerated().map { place, quality in
      "<span class=\"swatch\" style=\"background:\(LinePlot.color(ofLine: place))\"></span>\(quality.name) "
        as HTML
    }.reduce("") { $0 + $1 }
  }

  private static func panel(_ plot: LinePlot) -> HTML {
    var plot = plot
    plot.hasLegend = false
    return "<div class=\"panel\">\(HTML(trusted: plot.svg()))</div>"
  }

  private var plots: [LinePlot] {
    var plots = [
      LinePlot(
        title: "ROC", xLabel: "share of right labels called wrong", yLabel: "share of wrong labels found",
        lines: lines(\.roc), xRange: 0...1, yRange: 0...1, showsChance: true),
      LinePlot(
        title: "Precision and recall", xLabel: "recall: share of wrong labels found",
        yLabel: "precision: share of the labels called wrong that are wrong", lines: lines(\.precisionRecall),
        xRange: 0...1, yRange: 0...1),
    ]
    let calibrations = data.quality.compactMap { quality in
      quality.calibration.map { calibration in
        LinePlot.Line(
          name: quality.name,
          points: calibration.bins.map { LinePlot.Point(x: $0.meanProbability, y: $0.shareRight) },
          hasMarks: true)
      }
    }
    if !calibrations.isEmpty {
      plots.append(
        LinePlot(
          title: "Calibration", xLabel: "probability that the label is right",
          yLabel: "share of right labels",
          lines: calibrations, xRange: 0...1, yRange: 0...1, showsChance: true))
    }
    return plots
  }

  private func lines(_ curve: (Quality) -> [[Double]]) -> [LinePlot.Line] {
    data.quality.map { quality in
      LinePlot.Line(name: quality.name, points: curve(quality).map { LinePlot.Point(x: $0[0], y: $0[1]) })
    }
  }
}
