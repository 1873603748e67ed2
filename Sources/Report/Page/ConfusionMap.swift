/// The matrix of many classes as a drawing; the script tells the numbers of the square pointed at.
struct ConfusionMap {
  let data: ReportData
  /// By label and suggested class.
  let matrix: [[Int]]

  // In the drawing's units: a square's side, and the room for names.
  private static let side = 10
  private static let margin = 90
  /// Shades, each of which is one path: far smaller than an element a square.
  private static let shades = 6
  /// Longer names are cut off.
  private static let letters = 16

  var html: HTML {
    let order = data.classesByName
    let size = Self.margin + order.count * Self.side
    return """
      <figure class="confusion-map">
      <svg id="confusion-map" viewBox="0 0 \(size) \(size)" role="img" data-margin="\(Self.margin)" \
      data-side="\(Self.side)" data-order="\(order.map(String.init).joined(separator: " "))" \
      aria-label="Matrix of labels and suggestions; the table below lists the most frequent">
      <rect class="ground" x="\(Self.margin)" y="\(Self.margin)" width="\(order.count * Self.side)" \
      height="\(order.count * Self.side)"/>
      \(squares(order))\(names(order))
      </svg>
      <figcaption class="key">Rows: label. Columns: suggested class. The darker, the more images. \
      <output id="confusion-detail"></output></figcaption></figure>
      """
  }

  private func squares(_ order: [Int]) -> HTML {
    let most = Double(matrix.flatMap { $0 }.max() ?? 1)
    var paths = Array(repeating: "", count: Self.shades)
    for (row, label) in order.enumerated() {
      for (column, suggestion) in order.enumerated() where matrix[label][suggestion] > 0 {
        let share = (Double(matrix[label][suggestion]) / max(most, 1)).squareRoot()
        let shade = min(Self.shades - 1, Int(share * Double(Self.shades)))
        let x = Self.margin + column * Self.side
        let y = Self.margin + row * Self.side
        paths[shade] += "M\(x) \(y)h\(Self.side)v\(Self.side)h-\(Self.side)z"
      }
    }
    let drawn = paths.enumerated().filter { !$1.isEmpty }.map { shade, path -> HTML in
      "<path class=\"square\" fill-opacity=\"\("\(Double(shade + 1) / Double(Self.shades))")\" d=\"\(path)\"/>"
    }
    let start = Self.margin
    let end = Self.margin + order.count * Self.side
    return "\(drawn)<path class=\"own\" d=\"M\(start) \(start)L\(end) \(end)\"/>"
  }

  private func names(_ order: [Int]) -> HTML {
    let names = order.enumerated().map { place, label -> HTML in
      let middle = Self.margin + place * Self.side + Self.side / 2
      let name = shortened(data.classes[label].name)
      return """
        <text x="\(Self.margin - 4)" y="\(middle)" dy="2.8" text-anchor="end">\(name)</text>\
        <text transform="translate(\(middle) \(Self.margin - 4)) rotate(-90)" dy="2.8">\(name)</text>
        """
    }
    return "\(names)"
  }

  private func shortened(_ name: String) -> String {
    name.count <= Self.letters ? name : name.prefix(Self.letters - 1) + "…"
  }
}
