import Foundation

/// Writes a server's answer to a file, if it is an image within the limits.
///
/// Safe: used by one transfer at a time, and by who asked after its end.
final class ImageReceiver: TransferReceiver, @unchecked Sendable {
  /// The bytes to read of an unwanted answer, so that its connection can be used again.
  private static let mostIgnored = 64 << 10

  private let path: String
  private let settings: DownloadSettings
  private(set) var head: TransferHead?
  private var file: PartialFile?
  private var ignored = 0

  init(path: String, settings: DownloadSettings) {
    self.path = path
    self.settings = settings
  }

  var count: Int { file?.count ?? 0 }
  /// The answer's length according to the server.
  var stated: Int? { (head?.headers["content-length"]).flatMap { Int($0) } }

  func receive(_ head: TransferHead) throws(DownloadFailure) {
    self.head = head
    guard head.status == 200 else { return }
    try refuseType(head)
    if let stated, stated > settings.largestBytes { throw tooLarge() }
    file = try PartialFile(path)
  }

  func receive(_ bytes: UnsafeRawBufferPointer) throws(DownloadFailure) -> Bool {
    guard file != nil else {
      ignored += bytes.count
      return ignored <= Self.mostIgnored
    }
    try file?.append(bytes)
    if count > settings.largestBytes { throw tooLarge() }
    return true
  }

  /// Puts the file in place after the end of the answer.
  ///
  /// - Returns: The bytes in it.
  func finish() throws(DownloadFailure) -> Int {
    guard settings.isImage(file?.head ?? []) else {
      throw DownloadFailure(
        count == 0
          ? "The answer is empty." : "The answer is not an image, although its address suggests one.",
        isTemporary: false)
    }
    try file?.finish()
    return count
  }

  private func tooLarge() -> DownloadFailure {
    DownloadFailure(
      "The image is larger than \(settings.largestBytes) bytes. Allow more with --largest.",
      isTemporary: false)
  }

  /// Web pages are refused before they are read.
  private func refuseType(_ head: TransferHead) throws(DownloadFailure) {
    guard
      let type = head.headers["content-type"]?.lowercased().split(separator: ";").first?
        .trimmingCharacters(in: .whitespaces)
    else { return }
    guard type.hasPrefix("image/") || type.hasSuffix("octet-stream") else {
      throw DownloadFailure("The address leads to \(type), not to an image.", isTemporary: false)
    }
  }
}
