/// How images are downloaded: within limits that keep servers, the disk and the user's network safe.
public struct DownloadSettings: Sendable {
  /// Downloads at one time, over all servers.
  public var connections = 32
  /// Downloads at one time from one server.
  public var connectionsPerHost = 4
  /// How often a server is asked for one image, where its failure looks temporary.
  public var attempts = 4
  /// A larger image is refused.
  public var largestBytes = 64 << 20
  /// For a connection to be made.
  public var connectTimeout = Duration.seconds(10)
  /// Between two pieces of an answer.
  public var idleTimeout = Duration.seconds(30)
  /// For one answer as a whole.
  public var timeout = Duration.seconds(120)
  /// Before the second attempt, on average; it doubles with each further one.
  public var firstPause = Duration.seconds(1)
  /// A server that asks for a longer pause is left alone until the next run.
  public var longestPause = Duration.seconds(60)
  public var mostRedirects = 5
  /// A server to which so many connections in a row could not be made is left alone until the next run.
  public var deadHostFailures = 8
  /// Whether addresses in the own network are allowed: a list from elsewhere should not reach what is behind the firewall.
  public var allowsLocal = false
  public var userAgent: String
  /// A proxy for all connections, such as `proxy.example.org` and 3128.
  public var proxy: Proxy?
  /// Whether the first bytes of an answer (at least 64, unless it is shorter) are an image's.
  public var isImage: @Sendable ([UInt8]) -> Bool = { !$0.isEmpty }

  public struct Proxy: Sendable, Hashable {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
      self.host = host
      self.port = port
    }
  }

  public init(userAgent: String) { self.userAgent = userAgent }
}
