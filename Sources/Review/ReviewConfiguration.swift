/// How the page is served.
package struct ReviewConfiguration: Sendable {
  /// The address to listen on.
  package var address = "127.0.0.1"
  /// 0: any that is free.
  package var port = 0
  /// Further names by which browsers may call the server.
  package var hostNames: [String] = []
  /// A JSON file with other keys, read at every start of the page; nil: `review/keys.json` in the workspace.
  package var keysFile: String?
  /// The most bytes of thumbnails kept on the disk.
  package var thumbnailBytes = 512 << 20
  /// Seeds the order of the images.
  package var seed: UInt64 = 0
  /// Requests that a session may send: a 60-image grid, the next one ahead of time, and the hand of a fast reviewer.
  package var rate = (perSecond: 100.0, burst: 600.0)
  /// The least time that a person needs to look at one of many images, in seconds: a page saved faster than that, as by a
  /// key pressed twice, is asked about.
  package var glance = 0.08
  /// How long nobody has answered when the judgements that follow from the verdicts are kept in the workspace.
  package var rest = Duration.seconds(30)
  /// Connections held at once; more close the idle ones.
  var connections = Connections.affordable()
  /// How long a connection may take for what it does.
  var limits = ConnectionGuard.Limits()
  /// The most bytes of a request's body.
  package static let maximumBody = 256 << 10

  package init() {}

  /// Whether only this machine can reach the server.
  package var isLoopback: Bool { Self.isLoopback(address) }

  static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }
}
