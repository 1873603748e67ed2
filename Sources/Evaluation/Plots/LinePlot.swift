import Foundation

/// Lines over two axes, as a self-contained SVG picture.
///
/// It needs no font, script or file of its own, follows the reader's light or dark colour scheme, and tells screen readers
/// its title and what its lines say at their ends. Lines differ in colour and in dashes.
///
/// ```swift
/// let plot = LinePlot(title: "ROC", xLabel: "right labels blamed", yLabel: "wrong labels found", lines: [line])
/// try plot.svg().write(to: file, atomically: true, encoding: .utf8)
/// ```
public struct LinePlot: Sendable, Hashable {
  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var lines: [Line]
  /// The axes' ends; nil: from the lines.
  public var xRange: ClosedRange<Double>?
  public var yRange: ClosedRange<Double>?
  /// Whether a diagonal marks what chance gives.
  public var showsChance = false
  /// Whether the lines' names stand beside the plot; if not, whoever shows it names them by ``color(ofLine:)``.
  public var hasLegend = true

  /// The colour of a line, for a legend elsewhere.
  public static func color(ofLine index: Int) -> String {
    SVGLinePlot.colors[index % SVGLinePlot.colors.count]
  }

  public struct Line: Sendable, Hashable {
    public var name: String
    public var points: [Point]
    /// Whether each point is marked: for few, measured ones.
    public var hasMarks: Bool

    public init(name: String, points: [Point], hasMarks: Bool = false) {
      self.name = name
      self.points = points
      self.hasMarks = hasMarks
    }
  }

  /// A point, with its confidence interval if there is one.
  public struct Point: Sendable, Hashable {
    public var x: Double
    public var y: Double
    public var low: Double?
    public var high: Double?

    public init(x: Double, y: Double, low: Double? = nil, high: Double? = nil) {
      (self.x, self.y, self.low, self.high) = (x, y, low, high)
    }
  }

  public init(
    title: String, xLabel: String, yLabel: String, lines: [Line], xRange: ClosedRange<Double>? = nil,
    yRange: ClosedRange<Double>? = nil, showsChance: Bool = false
  ) {
    (self.title, self.xLabel, self.yLabel, self.lines) = (title, xLabel, yLabel, lines)
    (self.xRange, self.yRange, self.showsChance) = (xRange, yRange, showsChance)
  }

  /// The picture as an SVG document, which can also stand within HTML. The same plot gives the same text.
  public func svg() -> String { SVGLinePlot(self).document }
}
