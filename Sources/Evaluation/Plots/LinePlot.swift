import Foundation

/// Lines over two axes, as a self-contained SVG picture.
///
/// It needs no font, script or file of its own, follows the reader's light or dark color scheme, and tells screen readers
/// its title and what its lines say at their ends. Lines differ in color and in dashes.
///
/// ```swift
/// let plot = LinePlot(title: "ROC", xLabel: "right labels blamed", yLabel: "wrong labels found", lines: [line])
/// try plot.svg().write(to: file, atomically: true, encoding: .utf8)
/// ```
package struct LinePlot: Sendable, Hashable {
  package var title: String
  package var xLabel: String
  package var yLabel: String
  package var lines: [Line]
  /// The axes' ends; nil: from the lines.
  package var xRange: ClosedRange<Double>?
  package var yRange: ClosedRange<Double>?
  /// Whether a diagonal marks what chance gives.
  package var showsChance = false
  /// Whether the lines' names stand beside the plot; if not, whoever shows it names them by ``color(ofLine:)``.
  package var hasLegend = true

  /// The color of a line, for a legend elsewhere.
  package static func color(ofLine index: Int) -> String {
    SVGLinePlot.colors[index % SVGLinePlot.colors.count]
  }

  package struct Line: Sendable, Hashable {
    package var name: String
    package var points: [Point]
    /// Whether each point is marked: for few, measured ones.
    package var hasMarks: Bool

    package init(name: String, points: [Point], hasMarks: Bool = false) {
      self.name = name
      self.points = points
      self.hasMarks = hasMarks
    }
  }

  /// A point, with its confidence interval if there is one.
  package struct Point: Sendable, Hashable {
    package var x: Double
    package var y: Double
    package var low: Double?
    package var high: Double?

    package init(x: Double, y: Double, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }
  }

  package init(
    title: String, xLabel: String, yLabel: String, lines: [Line], xRange: ClosedRange<Double>? = nil,
    yRange: ClosedRange<Double>? = nil, showsChance: Bool = false
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.lines = lines
    self.xRange = xRange
    self.yRange = yRange
    self.showsChance = showsChance
  }

  /// The picture as an SVG document, which can also stand within HTML. The same plot gives the same text.
  package func svg() -> String { SVGLinePlot(self).document }
}
