/// A plane on which images that look alike are near; the script draws it.
struct MapSection {
  let data: ReportData
  let views: Views

  var section: Page.Section? {
    guard let map = data.map else { return nil }
    let neighborhood: HTML =
      map.neighborhood == nil
      ? ""
      : """
      <button type="button" data-map-layout="neighborhood" aria-pressed="true">Neighborhoods (t-SNE)</button>
      """
    let first = map.neighborhood == nil ? "true" : "false"
    return Page.Section(
      id: "map", title: "Map of features",
      content: """
        <p>\(Figure.count(map.shown, "/map/shown")) of \(Figure.count(map.total, "/map/total")) images; those that \
        look alike are near. A wrong label often lies among images of another class. Two principal components hold \
        \(Figure.percent(map.variance, "/map/variance")) of the variance of the features; t-SNE keeps neighbors, \
        not distances.</p>
        <div class="panel map">
        <p class="tools" role="group" aria-label="How the map is drawn">\(neighborhood)\
        <button type="button" data-map-layout="principal" aria-pressed="\(first)">Principal components</button>\
        <span class="gap"></span>\
        <button type="button" data-map-color="score" aria-pressed="true">Color by probability</button>\
        <button type="button" data-map-color="label" aria-pressed="false">by label</button></p>
        <div class="map-body"><canvas id="map-canvas" tabindex="0" role="application" \
        aria-label="Map of \(map.ids.count) images. Arrow keys go from the most suspicious image to the next." \
        aria-describedby="map-detail"></canvas>
        <div id="map-detail" aria-live="polite"><p class="hint">Point at an image, or use the arrow keys to go \
        through the most suspicious ones.</p></div></div>
        <p class="key" id="map-key"><span class="ramp"></span>probability that the label is right: 0 to 1</p>
        </div>
        """)
  }
}
