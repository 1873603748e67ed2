/// An image that is to be there.
package struct DownloadRequest: Sendable, Hashable {
  /// `http://…` or `https://…`, as the list writes it.
  package var address: String
  /// Below the folder of downloads; see `ImageAddress.fileName`.
  package var name: String

  package init(address: String, name: String) {
    self.address = address
    self.name = name
  }
}

/// The outcome of a request.
package struct DownloadOutcome: Sendable {
  package var request: DownloadRequest
  /// The bytes written, or why there are none.
  package var result: Result<Int, DownloadFailure>
  /// How often the server was asked.
  package var attempts: Int
}

/// Why an image could not be downloaded.
package struct DownloadFailure: Error, Sendable, Hashable, Codable, CustomStringConvertible {
  /// The fault and its remedy, in a sentence or two.
  package var explanation: String
  /// Whether asking again some other day may help. Permanent failures are asked for again only if the user says so.
  package var isTemporary: Bool

  package init(_ explanation: String, isTemporary: Bool) {
    self.explanation = explanation
    self.isTemporary = isTemporary
  }

  package var description: String { explanation }
}
