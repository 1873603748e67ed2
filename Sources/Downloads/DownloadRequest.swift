/// An image that is to be there.
public struct DownloadRequest: Sendable, Hashable {
  /// `http://…` or `https://…`, as the list writes it.
  public var address: String
  /// Below the folder of downloads; see `ImageAddress.fileName`.
  public var name: String

  public init(address: String, name: String) {
    self.address = address
    self.name = name
  }
}

/// What became of a request.
public struct DownloadOutcome: Sendable {
  public var request: DownloadRequest
  /// The bytes written, or why there are none.
  public var result: Result<Int, DownloadFailure>
  /// How often the server was asked.
  public var attempts: Int
}

/// Why an image could not be downloaded.
public struct DownloadFailure: Error, Sendable, Hashable, Codable, CustomStringConvertible {
  /// What is wrong and what to do, in a sentence or two.
  public var explanation: String
  /// Whether asking again some other day may help. What is not temporary is asked for again only if the user says so.
  public var isTemporary: Bool

  public init(_ explanation: String, isTemporary: Bool) {
    self.explanation = explanation
    self.isTemporary = isTemporary
  }

  public var description: String { explanation }
}
