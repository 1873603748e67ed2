import Foundation
import Glibc
import Testing

/// A connection to the program on which a test may send any bytes, also bytes that no browser would send.
///
/// For one thread; blocks.
final class RawConnection {
  private let socket: CInt
  private var received = ""

  init(port: Int) throws {
    socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    // A server that is silent for so long will not answer.
    var patience = timeval(tv_sec: 90, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let outcome = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(outcome == 0, "cannot connect to port \(port)")
  }

  deinit { close(socket) }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      // The server may hang up before it has read all.
      guard count > 0 else { return }
      done += count
    }
  }

  /// Reads some more; false at the end.
  private func receive() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    errno = 0
    let count = recv(socket, &buffer, buffer.count, 0)
    guard count > 0 else { return false }
    received += String(decoding: buffer[..<count], as: UTF8.self)
    return true
  }

  /// Reads until the server hangs up; false if it has not for so long that it will not.
  func isHungUp() -> Bool {
    while receive() {}
    return errno != EAGAIN
  }

  /// The status codes of this many answers.
  func statuses(_ count: Int) -> [Int] {
    func found() -> [Int] { received.matches(of: #/HTTP/1\.1 (\d{3}) /#).compactMap { Int($0.1) } }
    while found().count < count, receive() {}
    defer { received = "" }
    return found()
  }

  struct Answer {
    var status: Int
    /// The header fields, names in lower case.
    var fields: [String: String]
    var body: String
  }

  /// All that comes until the server hangs up, as one answer.
  func answer() throws -> Answer {
    while receive() {}
    let parts = received.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    let lines = try #require(parts.first).split(separator: "\r\n")
    let status = try #require(lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    var fields: [String: String] = [:]
    for line in lines.dropFirst() {
      let field = line.split(separator: ":", maxSplits: 1)
      fields[field[0].lowercased()] = field.last?.trimmingCharacters(in: .whitespaces)
    }
    return Answer(status: status, fields: fields, body: parts.count > 1 ? String(parts[1]) : "")
  }
}
