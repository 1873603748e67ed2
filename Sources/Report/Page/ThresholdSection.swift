import Foundation

/// A slider that shows what other thresholds would do.
struct ThresholdSection {
  let data: ReportData

  var section: Page.Section? {
    guard let sweep = data.sweep else { return nil }
    let row = sweep.rows[sweep.current]
    let at = "/sweep/rows/\(sweep.current)"
    return Page.Section(
      id: "threshold", title: "Threshold",
      content: """
        <p>Labels whose \(data.about.basis) is below the threshold are called wrong. The one in use is \
        \(Figure.decimal(sweep.threshold, "/sweep/threshold")). These counts are the model’s alone, without people’s verdicts, so they differ from those \
        in the summary.</p>
        <div class="panel slider">
        <label for="slider">Threshold <output id="slider-value" for="slider">\
        \(Figure.decimal(row.threshold, "\(at)/threshold", digits: 2))</output></label>
        <input id="slider" type="range" min="0" max="\(sweep.rows.count - 1)" step="1" value="\(sweep.current)" \
        aria-describedby="slider-results" aria-valuetext="\(String(format: "%.2f", row.threshold))">
        <div id="slider-results" aria-live="polite"><table class="plain"><caption class="visually-hidden">What the \
        chosen threshold does</caption>
        <thead><tr><th scope="col"></th><th scope="col">Kept</th><th scope="col">Called wrong</th>\
        <th scope="col">share of flagged labels that are wrong (precision)</th><th scope="col">share of wrong labels flagged (recall)</th>\
        <th scope="col">wrong among kept</th></tr></thead>
        <tbody>\(estimated(row, at))\(measured(row.verified, "verified", "Measured on verified images", at))\
        \(measured(row.truth, "truth", "Measured on true labels", at))</tbody></table></div>
        \(SweepChart(sweep).svg)
        <p class="key"><span class="swatch precision"></span>precision <span class="swatch recall"></span>recall \
        <span class="swatch left"></span>wrong among kept – by the model’s own probabilities, over the threshold</p>
        </div>
        """)
  }

  private func estimated(_ row: ThresholdSweep.Row, _ at: String) -> HTML {
    """
    <tr><th scope="row">Estimated, all images</th>\
    <td data-field="kept">\(Figure.count(row.kept, "\(at)/kept"))</td>\
    <td data-field="dropped">\(Figure.count(row.dropped, "\(at)/dropped"))</td>\
    <td data-field="precision">\(Figure.percent(row.precision, "\(at)/precision"))</td>\
    <td data-field="recall">\(Figure.percent(row.recall, "\(at)/recall"))</td>\
    <td data-field="noiseKept">\(Figure.percent(row.noiseKept, "\(at)/noiseKept"))</td></tr>
    """
  }

  private func measured(
    _ measured: ThresholdSweep.Measured?, _ field: String, _ name: String, _ at: String
  ) -> HTML {
    guard let measured else { return "" }
    let counts = measured.counts
    let at = "\(at)/\(field)"
    func cell(_ path: String, _ figure: HTML) -> HTML { "<td data-field=\"\(field)/\(path)\">\(figure)</td>" }
    func number(_ value: Int, _ path: String) -> HTML {
      "<span data-field=\"\(field)/\(path)\">\(Figure.count(value, "\(at)/\(path)"))</span>"
    }
    return """
      <tr><th scope="row">\(name)</th>\
      <td>\(number(counts.kept, "counts/kept")) right, \(number(counts.missed, "counts/missed")) wrong</td>\
      <td>\(number(counts.blamed, "counts/blamed")) right, \(number(counts.found, "counts/found")) wrong</td>\
      \(cell("precision", Figure.percent(measured.precision, "\(at)/precision")))\
      \(cell("recall", Figure.percent(measured.recall, "\(at)/recall")))\
      <td>at most <span data-field="\(field)/noiseKeptUpper">\
      \(Figure.percent(measured.noiseKeptUpper, "\(at)/noiseKeptUpper"))</span></td></tr>
      """
  }
}

/// Precision, recall and the noise left, over the threshold; the script moves the marker.
struct SweepChart {
  private let sweep: ThresholdSweep

  init(_ sweep: ThresholdSweep) { self.sweep = sweep }

  // The drawing's size, and the room for the axes' numbers.
  private static let width = 600.0
  private static let height = 200.0
  private static let left = 44.0
  private static let bottom = 22.0

  var svg: HTML {
    let ticks = [0, 0.25, 0.5, 0.75, 1.0]
    let grid = ticks.map { tick -> HTML in
      let y = Self.y(tick)
      return """
        <path class="grid" d="M\(Self.left.short) \(y)H\(Self.width.short)"/>\
        <text x="\((Self.left - 6).short)" y="\(y)" dy="4" text-anchor="end">\("\(Int(tick * 100)) %")</text>
        """
    }
    let low = sweep.rows.first?.threshold ?? 0
    let high = sweep.rows.last?.threshold ?? 1
    let labels = ticks.map { tick -> HTML in
      let threshold = low + tick * (high - low)
      return """
        <text x="\(x(threshold))" y="\((Self.height - 4).short)" text-anchor="middle">\
        \(String(format: "%.2f", threshold))</text>
        """
    }
    return """
      <svg class="sweep" viewBox="0 0 \((Self.width + 14).short) \(Self.height.short)" role="img" \
      aria-label="Estimated precision, recall and share of wrong labels kept, over the threshold">
      \(grid)\(labels)
      \(line(\.recall, "recall"))\(line(\.noiseKept, "left"))\(line(\.precision, "precision"))
      <line id="sweep-marker" class="marker" data-from="\(x(low))" data-to="\(x(high))" \
      x1="\(x(sweep.rows[sweep.current].threshold))" x2="\(x(sweep.rows[sweep.current].threshold))" y1="4" \
      y2="\((Self.height - Self.bottom).short)"/>
      </svg>
      """
  }

  private func line(_ value: (ThresholdSweep.Row) -> Double?, _ name: String) -> HTML {
    let points = sweep.rows.compactMap { row in value(row).map { "\(x(row.threshold)) \(Self.y($0))" } }
    return "<path class=\"line \(name)\" d=\"\("M" + points.joined(separator: "L"))\"/>"
  }

  private func x(_ threshold: Double) -> String {
    let low = sweep.rows.first?.threshold ?? 0
    let high = sweep.rows.last?.threshold ?? 1
    return (Self.left + (threshold - low) / (high - low) * (Self.width - Self.left)).short
  }

  private static func y(_ share: Double) -> String { (4 + (1 - share) * (height - bottom - 4)).short }
}

extension Double {
  /// With one decimal at most, for drawings.
  var short: String {
    let tenths = (self * 10).rounded() / 10
    return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
  }
}
