import HTTPTypes
import Hummingbird
import NIOCore

/// The page itself: files that are part of the program and hold nothing of anybody's data.
struct PageRoutes: Sendable {
  private struct Asset {
    let name: String
    let type: String
    let bytes: [UInt8]
  }

  func add(to router: some RouterMethods<ReviewContext>) {
    let page = Self.response("text/html; charset=utf-8", PackageResources.index_html)
    router.get("/") { _, _ in page }
    for asset in Self.assets {
      let response = Self.response(asset.type, asset.bytes)
      router.get("assets/\(asset.name)") { _, _ in response }
    }
  }

  private static func response(_ type: String, _ bytes: [UInt8]) -> Response {
    // Checked on every start of the page, so that an updated program shows its own page.
    Response(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private static let script = "text/javascript; charset=utf-8"
  private static let assets = [
    Asset(name: "style.css", type: "text/css; charset=utf-8", bytes: PackageResources.style_css),
    Asset(name: "icon.svg", type: "image/svg+xml", bytes: PackageResources.icon_svg),
    Asset(name: "main.js", type: script, bytes: PackageResources.main_js),
    Asset(name: "api.js", type: script, bytes: PackageResources.api_js),
    Asset(name: "dom.js", type: script, bytes: PackageResources.dom_js),
    Asset(name: "keys.js", type: script, bytes: PackageResources.keys_js),
    Asset(name: "queue.js", type: script, bytes: PackageResources.queue_js),
    Asset(name: "closer.js", type: script, bytes: PackageResources.closer_js),
    Asset(name: "gestures.js", type: script, bytes: PackageResources.gestures_js),
    Asset(name: "grid.js", type: script, bytes: PackageResources.grid_js),
    Asset(name: "single.js", type: script, bytes: PackageResources.single_js),
    Asset(name: "suspects.js", type: script, bytes: PackageResources.suspects_js),
    Asset(name: "disputes.js", type: script, bytes: PackageResources.disputes_js),
    Asset(name: "progress.js", type: script, bytes: PackageResources.progress_js),
    Asset(name: "mend.js", type: script, bytes: PackageResources.mend_js),
    Asset(name: "many.js", type: script, bytes: PackageResources.many_js),
    Asset(name: "likely.js", type: script, bytes: PackageResources.likely_js),
    Asset(name: "map.js", type: script, bytes: PackageResources.map_js),
    Asset(name: "copies.js", type: script, bytes: PackageResources.copies_js),
    Asset(name: "history.js", type: script, bytes: PackageResources.history_js),
    Asset(name: "chooser.js", type: script, bytes: PackageResources.chooser_js),
    Asset(name: "parts.js", type: script, bytes: PackageResources.parts_js),
  ]
}
