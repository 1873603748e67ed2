import Foundation

/// Which addresses are asked for: `http` and `https` only, and none in the own network unless that is allowed.
///
/// Names are resolved before they are used, so that a public name of a private machine is refused as well. Each address
/// is looked at again just before a connection to it is made: the name's owner may have changed it. With a proxy, which
/// resolves names itself, only addresses written as numbers are caught.
struct AddressPolicy: Sendable {
  var allowsLocal: Bool
  var resolvesNames = true

  /// The parts of an address that are needed to ask for it.
  struct Target: Sendable, Hashable {
    var url: URL
    var host: String
    /// Host and port: what limits are counted by.
    var server: String
  }

  /// - Parameter base: The address that a relative one starts from, after a redirect.
  /// - Throws: `DownloadFailure` if the address is refused, or its name is not known.
  func target(_ address: String, from base: URL? = nil) async throws(DownloadFailure) -> Target {
    guard let url = URL(string: address, relativeTo: base)?.absoluteURL, let scheme = url.scheme?.lowercased()
    else { throw DownloadFailure("The address cannot be read. Correct it in the list.", isTemporary: false) }
    guard ["http", "https"].contains(scheme) else {
      throw DownloadFailure(
        "The address leads to \(scheme): rather than to http: or https:, which is not followed.",
        isTemporary: false)
    }
    guard let host = url.host(percentEncoded: false)?.lowercased(), !host.isEmpty else {
      throw DownloadFailure("The address names no server. Correct it in the list.", isTemporary: false)
    }
    if !allowsLocal { try await refuseLocal(host) }
    let port = url.port ?? (scheme == "https" ? 443 : 80)
    return Target(url: url, host: host, server: "\(host):\(port)")
  }

  private func refuseLocal(_ host: String) async throws(DownloadFailure) {
    let isNumeric = Self.addresses(of: host, flags: AI_NUMERICHOST) != nil
    guard isNumeric || resolvesNames else { return }
    guard let addresses = isNumeric ? Self.addresses(of: host, flags: AI_NUMERICHOST) : await resolve(host)
    else {
      throw DownloadFailure("The server's name \(host) is unknown.", isTemporary: true)
    }
    if host == "localhost" || host.hasSuffix(".localhost") || addresses.contains(where: Self.isLocal) {
      throw Self.refusal(of: host)
    }
  }

  static func refusal(of host: String) -> DownloadFailure {
    DownloadFailure(
      "The address leads into the local network (\(host)), which a list may reach only with --allow-local.",
      isTemporary: false)
  }

  /// Asks the system's resolver on a thread that may wait.
  private func resolve(_ host: String) async -> [[UInt8]]? {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: Self.addresses(of: host, flags: 0)) }
    }
  }

  /// The addresses of a host, of 4 or 16 bytes; `nil` if it has none.
  private static func addresses(of host: String, flags: CInt) -> [[UInt8]]? {
    var hints = addrinfo()
    hints.ai_flags = flags
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0 else { return nil }
    defer { freeaddrinfo(list) }
    var found: [[UInt8]] = []
    var next = list
    while let entry = next {
      if let address = entry.pointee.ai_addr {
        let (offset, count) =
          entry.pointee.ai_family == AF_INET6
          ? (MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8, 16)
          : (MemoryLayout<sockaddr_in>.offset(of: \.sin_addr) ?? 4, 4)
        found.append(
          Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(address) + offset, count: count)))
      }
      next = entry.pointee.ai_next
    }
    return found
  }

  /// Whether an address is private, of this machine, or of no machine at all (RFC 6890).
  static func isLocal(_ address: [UInt8]) -> Bool {
    if address.count == 16 {
      // An IPv4 address in IPv6's form, through a translator (RFC 6052) or a tunnel (RFC 3056).
      let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
      let translated: [UInt8] = [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]
      if address.starts(with: mapped) || address.starts(with: translated) {
        return isLocal(Array(address[12...]))
      }
      if address.starts(with: [0x20, 0x02]) { return isLocal(Array(address[2..<6])) }
      // A network's own translator.
      if address.starts(with: [0, 0x64, 0xFF, 0x9B, 0, 1]) { return true }
      let isUnspecifiedOrLoopback = address.dropLast().allSatisfy { $0 == 0 } && address[15] <= 1
      return isUnspecifiedOrLoopback || address[0] & 0xFE == 0xFC || address[0] == 0xFF
        || (address[0] == 0xFE && address[1] & 0x80 != 0)
    }
    switch (address[0], address[1]) {
    case (0, _), (10, _), (127, _), (169, 254), (172, 16...31), (192, 168): return true
    case (100, 64...127), (198, 18...19), (224..., _): return true
    // 192.0.0.0/24 and 192.0.2.0/24 only: from 192.0.64.0 on there are public servers.
    case (192, 0): return address[2] == 0 || address[2] == 2
    default: return false
    }
  }
}
