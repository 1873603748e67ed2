import Foundation

/// The scores of a class, by verdict and verification. Heights grow with the square root of the counts: the interesting
/// bins are small beside the bins of labels that are surely right.
struct HistogramView {
  private let histogram: ScoreHistogram
  private let name: String
  private let basis: String

  init(_ histogram: ScoreHistogram, name: String, basis: String) {
    self.histogram = histogram
    self.name = name
    self.basis = basis
  }

  private static let width = 600.0
  private static let height = 130.0
  private static let bottom = 18.0

  private var parts: [(name: String, style: String, counts: [Int])] {
    [
      ("called wrong", "dropped", histogram.dropped), ("verified wrong", "wrong", histogram.wrong),
      ("verified right", "right", histogram.right), ("kept", "kept", histogram.kept),
    ]
  }

  var html: HTML {
    let totals = (0..<ScoreHistogram.bins).map { bin in parts.reduce(0) { $0 + $1.counts[bin] } }
    let most = Double(max(1, totals.max() ?? 1)).squareRoot()
    let bars = totals.indices.map { bar($0, total: totals[$0], most: most) }
    let threshold = (histogram.threshold - histogram.low) / (histogram.high - histogram.low) * Self.width
    let ticks = [0, 0.25, 0.5, 0.75, 1.0].map { share -> HTML in
      let anchor = share == 0 ? "start" : share == 1 ? "end" : "middle"
      let value = histogram.low + share * (histogram.high - histogram.low)
      return """
        <text x="\((share * Self.width).short)" y="\((Self.height - 3).short)" text-anchor="\(anchor)">\
        \(String(format: "%.2f", value))</text>
        """
    }
    let key = parts.map { "<span class=\"swatch \($0.style)\"></span>\($0.name) " as HTML }
    return """
      <figure class="histogram"><svg viewBox="0 0 \(Self.width.short) \(Self.height.short)" role="img" \
      aria-label="\(description(totals))">\(bars)\
      <line class="marker" x1="\(threshold.short)" x2="\(threshold.short)" y1="0" \
      y2="\((Self.height - Self.bottom).short)"/>\(ticks)</svg>
      <figcaption class="key">\(key)– by \(basis) that the label is right; heights by the square root of \
      counts</figcaption></figure>
      """
  }

  private func bar(_ bin: Int, total: Int, most: Double) -> HTML {
    guard total > 0 else { return "" }
    let slot = Self.width / Double(ScoreHistogram.bins)
    let tall = Double(total).squareRoot() / most * (Self.height - Self.bottom - 2)
    var floor = Self.height - Self.bottom
    var pieces: [HTML] = []
    for part in parts where part.counts[bin] > 0 {
      let height = tall * Double(part.counts[bin]) / Double(total)
      floor -= height
      pieces.append(
        """
        <rect class="\(part.style)" x="\((Double(bin) * slot + 1).short)" y="\(two(floor))" \
        width="\((slot - 2).short)" height="\(two(height))"/>
        """)
    }
    let counts = parts.filter { $0.counts[bin] > 0 }.map { "\($0.counts[bin]) \($0.name)" }
    return "<g><title>\(range(bin)): \(counts.joined(separator: ", "))</title>\(pieces)</g>"
  }

  private func range(_ bin: Int) -> String {
    let step = (histogram.high - histogram.low) / Double(ScoreHistogram.bins)
    let low = histogram.low + Double(bin) * step
    return String(format: "%.2f–%.2f", low, low + step)
  }

  private func two(_ value: Double) -> String { String(format: "%.2f", value) }

  private func description(_ totals: [Int]) -> String {
    let sums = parts.map { "\($0.counts.reduce(0, +)) \($0.name)" }.joined(separator: ", ")
    return "Scores of \(name): \(sums)"
  }
}
