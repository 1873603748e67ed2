/// How images are downloaded: within limits that keep servers, the disk and the user's network safe.
package struct DownloadSettings: Sendable {
  /// Downloads at one time, over all servers.
  package var connections = 32
  /// Downloads at one time from one server.
  package var connectionsPerHost = 4
  /// How often a server is asked for one image, where its failure looks temporary.
  package var attempts = 4
  /// A larger image is refused.
  package var largestBytes = 64 << 20
  /// For a connection to be made.
  package var connectTimeout = Duration.seconds(10)
  /// Between two pieces of an answer.
  package var idleTimeout = Duration.seconds(30)
  /// For one answer as a whole.
  package var timeout = Duration.seconds(120)
  /// Before the second attempt, on average; it doubles with each further one.
  package var firstPause = Duration.seconds(1)
  /// A server that asks for a longer pause is left alone until the next run.
  package var longestPause = Duration.seconds(60)
  package var mostRedirects = 5
  /// A server to which this many connections in a row could not be made is left alone until the next run.
  package var deadHostFailures = 8
  /// Whether addresses in the own network are allowed: a list from elsewhere should not reach what is behind the firewall.
  package var allowsLocal = false
  package var userAgent: String
  /// A proxy for all connections, such as `proxy.example.org` and 3128.
  package var proxy: Proxy?
  /// Whether the first bytes of an answer (at least 64, unless it is shorter) are an image's.
  package var isImage: @Sendable ([UInt8]) -> Bool = { !$0.isEmpty }

  package struct Proxy: Sendable, Hashable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
      self.host = host
      self.port = port
    }
  }

  package init(userAgent: String) { self.userAgent = userAgent }
}
