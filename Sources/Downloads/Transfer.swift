import CDownloads
import Foundation
import Synchronization

/// The status and the headers of a server's answer.
struct TransferHead: Sendable {
  var status: UInt
  /// "Not Found"; empty with HTTP/2, which has none.
  var reason: String
  /// By names in small letters; of several with one name the first.
  private(set) var headers: [String: String] = [:]

  /// Begins a head with its first line, "HTTP/1.1 404 Not Found"; `nil` if it is none.
  init?(statusLine line: String) {
    let words = line.split(separator: " ", maxSplits: 2)
    guard words.count > 1, words[0].hasPrefix("HTTP/"), let status = UInt(words[1]) else { return nil }
    self.status = status
    reason = words.count > 2 ? String(words[2]) : ""
  }

  mutating func add(header line: String) {
    guard let colon = line.firstIndex(of: ":") else { return }
    let name = line[..<colon].lowercased()
    let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    if headers[name] == nil { headers[name] = value }
  }
}

/// Hears a server's answer, on the thread of the transfers.
protocol TransferReceiver: AnyObject, Sendable {
  /// The head of the answer. - Throws: Why the rest is not wanted.
  func receive(_ head: TransferHead) throws(DownloadFailure)
  /// The next bytes of the answer.
  ///
  /// - Returns: Whether more is wanted.
  /// - Throws: Why the answer is not wanted at all.
  func receive(_ bytes: UnsafeRawBufferPointer) throws(DownloadFailure) -> Bool
}

/// Why no answer came.
enum TransferError: Error, Sendable {
  /// No connection could be made.
  case unreachable(String)
  /// A limit of time was reached.
  case tooLong
  /// The connection ended before the answer did.
  case cutShort
  /// The bytes that came are no answer.
  case broken(String)
  /// The receiver refused it, or the address that the name stands for.
  case refused(DownloadFailure)
  case cancelled
}

/// A transfer that is under way.
///
/// Safe: all that changes is touched by the thread of the transfers only, from when it takes the transfer over until it
/// says that it is done; `isCancelled` may be set from any thread.
final class Transfer: @unchecked Sendable {
  struct Request: Sendable {
    var address: String
    var userAgent: String
    var accept: String
    var proxy: String?
    var certificates: String?
    var connectTimeout: Duration
    var idleTimeout: Duration
    var timeout: Duration
    /// Asked for each address, of 4 or 16 bytes, before a connection is made to it.
    var mayConnect: @Sendable ([UInt8]) throws(DownloadFailure) -> Void
  }

  let request: Request
  private let receiver: any TransferReceiver
  private let cancelled = Mutex(false)

  /// Told how it ended; set before the transfer is handed over.
  var whenDone: @Sendable (Result<Void, TransferError>) -> Void = { _ in }
  /// libcurl's part, while it is under way.
  var handle: OpaquePointer?
  private let start = ContinuousClock.now
  private var lastHeard = ContinuousClock.now
  private var head: TransferHead?
  private var refusal: DownloadFailure?
  private var hasEnough = false

  init(_ request: Request, receiver: any TransferReceiver) {
    self.request = request
    self.receiver = receiver
  }

  var isCancelled: Bool { cancelled.withLock { $0 } }
  func cancel() { cancelled.withLock { $0 = true } }

  /// When the transfer will have taken too long, if nothing comes.
  var deadline: ContinuousClock.Instant { min(start + request.timeout, lastHeard + request.idleTimeout) }

  /// The meaning of libcurl's number.
  func result(code: Int32, reason: String) -> Result<Void, TransferError> {
    if let refusal { return .failure(.refused(refusal)) }
    switch Int(code) {
    case _ where code == 0 || hasEnough: return .success(())
    case CTransferUnknownProxy, CTransferUnknownHost, CTransferNoConnection, CTransferTimeout:
      // Later limits of time are not libcurl's.
      return .failure(.unreachable(reason))
    case CTransferPartial: return .failure(.cutShort)
    case CTransferUntrusted: return .failure(.broken("its certificate is not trusted: \(reason)"))
    default: return .failure(.broken(reason))
    }
  }

  func mayConnect(to address: [UInt8]) -> Bool {
    attempt { () throws(DownloadFailure) in
      try request.mayConnect(address)
      return true
    }
  }

  func receive(headLine bytes: UnsafeRawBufferPointer) -> Bool {
    lastHeard = .now
    let line = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
    if line.hasPrefix("HTTP/") {
      head = TransferHead(statusLine: line)
    } else if !line.isEmpty {
      head?.add(header: line)
    } else if let head, head.status >= 200 {
      return attempt { () throws(DownloadFailure) in
        try receiver.receive(head)
        return true
      }
    }
    return true
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    lastHeard = .now
    let goesOn = attempt { () throws(DownloadFailure) in try receiver.receive(bytes) }
    if !goesOn { hasEnough = true }
    return goesOn
  }

  private func attempt(_ body: () throws(DownloadFailure) -> Bool) -> Bool {
    do throws(DownloadFailure) {
      return try body()
    } catch {
      refusal = error
      return false
    }
  }
}
