import Foundation

/// Draws a ``LinePlot``.
struct SVGLinePlot {
  private let plot: LinePlot
  private let x: Axis
  private let y: Axis

  // Sizes in pixels: the plotting area, and the room around it.
  private static let width = 420.0
  private static let height = 320.0
  private static let left = 58.0
  private static let top = 34.0
  private static let bottom = 46.0
  private static let legendWidth = 190.0
  private static let legendRow = 18.0

  /// Colors that color-blind readers tell apart on white and on black (after Okabe & Ito 2008).
  static let colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56a5d8", "#7f7f7f"]
  private static let dashes = ["", "6 3", "2 3"]

  init(_ plot: LinePlot) {
    self.plot = plot
    let points = plot.lines.flatMap(\.points)
    x = Axis(plot.xRange, points.map(\.x))
    y = Axis(plot.yRange, points.flatMap { [$0.y, $0.low ?? $0.y, $0.high ?? $0.y] })
  }

  var document: String {
    let total = Self.left + Self.width + 16 + (plot.hasLegend ? Self.legendWidth : 0)
    let legend = Self.top + (plot.hasLegend ? Double(plot.lines.count) * Self.legendRow : 0)
    let tall = max(Self.top + Self.height + Self.bottom, legend + 8)
    let id = "plot-" + plot.title.lowercased().map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(text(total)) \(text(tall))" role="img" \
      aria-labelledby="\(escaped(id)) \(escaped(id))-description" class="cleannet-plot">
      <title id="\(escaped(id))">\(escaped(plot.title))</title>
      <desc id="\(escaped(id))-description">\(escaped(description))</desc>
      <style>
      .cleannet-plot { font: 12px system-ui, sans-serif; fill: none; color: #333; max-width: \(text(total))px }
      .cleannet-plot text { fill: currentColor }
      .cleannet-plot .heading { font-weight: 600; font-size: 14px }
      .cleannet-plot .frame { stroke: currentColor; stroke-opacity: .55 }
      .cleannet-plot .grid { stroke: currentColor; stroke-opacity: .12 }
      .cleannet-plot .chance { stroke: currentColor; stroke-opacity: .4; stroke-dasharray: 1 4 }
      .cleannet-plot .line { stroke-width: 1.8; stroke-linejoin: round }
      @media (prefers-color-scheme: dark) { .cleannet-plot { color: #ddd } }
      </style>
      <text class="heading" x="\(text(Self.left))" y="18">\(escaped(plot.title))</text>
      \(axes)
      \(plot.lines.indices.map(line).joined(separator: "\n"))
      \(plot.hasLegend ? plot.lines.indices.map(legendEntry).joined(separator: "\n") : "")
      </svg>

      """
  }

  private var description: String {
    let ends = plot.lines.compactMap { line in
      line.points.last.map { "\(line.name): \(text($0.y)) at \(text($0.x))" }
    }
    return "\(plot.yLabel) over \(plot.xLabel). Right ends of the lines: \(ends.joined(separator: "; "))."
  }

  private func place(_ px: Double, _ py: Double) -> (x: Double, y: Double) {
    (Self.left + x.share(px) * Self.width, Self.top + (1 - y.share(py)) * Self.height)
  }

  private var axes: String {
    let right = Self.left + Self.width
    let floor = Self.top + Self.height
    var parts: [String] = []
    for tick in x.ticks {
      let at = text(place(tick, y.low).x)
      parts.append("<path class=\"grid\" d=\"M\(at) \(text(Self.top))V\(text(floor))\"/>")
      parts.append("<text x=\"\(at)\" y=\"\(text(floor + 16))\" text-anchor=\"middle\">\(text(tick))</text>")
    }
    for tick in y.ticks {
      let at = place(x.low, tick).y
      parts.append("<path class=\"grid\" d=\"M\(text(Self.left)) \(text(at))H\(text(right))\"/>")
      parts.append(
        "<text x=\"\(text(Self.left - 6))\" y=\"\(text(at + 4))\" text-anchor=\"end\">\(text(tick))</text>")
    }
    if plot.showsChance {
      parts.append(
        "<path class=\"chance\" d=\"M\(text(Self.left)) \(text(floor))L\(text(right)) \(text(Self.top))\"/>")
    }
    parts.append(
      "<path class=\"frame\" d=\"M\(text(Self.left)) \(text(Self.top))V\(text(floor))H\(text(right))\"/>")
    let middle = text(Self.left + Self.width / 2)
    parts.append(
      "<text x=\"\(middle)\" y=\"\(text(floor + 36))\" text-anchor=\"middle\">\(escaped(plot.xLabel))</text>")
    let side = text(Self.top + Self.height / 2)
    parts.append(
      "<text transform=\"translate(14 \(side)) rotate(-90)\" text-anchor=\"middle\">\(escaped(plot.yLabel))</text>"
    )
    return parts.joined(separator: "\n")
  }

  private func style(_ index: Int) -> String {
    let dash = Self.dashes[index / Self.colors.count % Self.dashes.count]
    return "stroke=\"\(Self.colors[index % Self.colors.count])\""
      + (dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\"")
  }

  private func line(_ index: Int) -> String {
    let line = plot.lines[index]
    var parts: [String] = []
    var before: (x: Double, y: Double)?
    var path = ""
    for (number, point) in line.points.enumerated() where point.x.isFinite && point.y.isFinite {
      let here = place(point.x, point.y)
      // Points that nobody can see are left out: curves have thousands of points.
      let isLast = number + 1 == line.points.count
      if let before, !isLast, !line.hasMarks, abs(here.x - before.x) + abs(here.y - before.y) < 0.7 {
        continue
      }
      path += "\(before == nil ? "M" : "L")\(text(here.x, digits: 1)) \(text(here.y, digits: 1))"
      before = here
    }
    guard !path.isEmpty else { return "" }
    parts.append("<path class=\"line\" \(style(index)) d=\"\(path)\"/>")
    for point in line.points where line.hasMarks && point.x.isFinite && point.y.isFinite {
      let here = place(point.x, point.y)
      if let low = point.low, let high = point.high {
        let from = place(point.x, low).y
        let to = place(point.x, high).y
        parts.append("<path \(style(index)) d=\"M\(text(here.x)) \(text(from))V\(text(to))\"/>")
      }
      let fill = Self.colors[index % Self.colors.count]
      parts.append("<circle cx=\"\(text(here.x))\" cy=\"\(text(here.y))\" r=\"3\" fill=\"\(fill)\"/>")
    }
    return "<g><title>\(escaped(line.name))</title>\(parts.joined())</g>"
  }

  private func legendEntry(_ index: Int) -> String {
    let left = Self.left + Self.width + 16
    let at = Self.top + Double(index) * Self.legendRow + 8
    return "<path class=\"line\" \(style(index)) d=\"M\(text(left)) \(text(at))h22\"/>"
      + "<text x=\"\(text(left + 28))\" y=\"\(text(at + 4))\">\(escaped(plot.lines[index].name))</text>"
  }

  /// A number without needless digits, in the same form everywhere.
  private func text(_ value: Double, digits: Int = 3) -> String {
    let factor = pow(10, Double(digits))
    let rounded = (value * factor).rounded() / factor
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int(rounded)) : String(rounded)
  }

  private func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }

  /// One axis: its ends, and round numbers between them.
  struct Axis {
    let low: Double
    let high: Double
    let ticks: [Double]

    init(_ range: ClosedRange<Double>?, _ values: [Double]) {
      let finite = values.filter(\.isFinite)
      let least = range?.lowerBound ?? finite.min() ?? 0
      let most = range?.upperBound ?? finite.max() ?? 1
      let span = most > least ? most - least : max(abs(least), 1)
      let power = pow(10, (log10(span / 5)).rounded(.down))
      let fine = [1, 2, 5, 10].map { $0 * power }.first { span / $0 <= 6 } ?? 10 * power
      // Epochs and counts have no halves.
      let step = range == nil && finite.allSatisfy { $0 == $0.rounded() } ? max(1, fine) : fine
      low = range == nil ? (least / step).rounded(.down) * step : least
      let upper = range == nil ? (most / step).rounded(.up) * step : most
      high = upper > low ? upper : low + step
      let first = Int((low / step - 1e-9).rounded(.up))
      let last = Int((high / step + 1e-9).rounded(.down))
      ticks = (first...max(first, last)).map { Double($0) * step }
    }

    func share(_ value: Double) -> Double { (min(max(value, low), high) - low) / (high - low) }
  }
}
