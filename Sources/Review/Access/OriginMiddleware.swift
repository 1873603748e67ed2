import HTTPTypes
import Hummingbird

/// Refuses requests that other web pages make a browser send: those under a foreign host name (DNS rebinding), and
/// changes that come from a foreign page (cross-site request forgery). Adds the headers that bind our own page.
package struct OriginMiddleware: RouterMiddleware {
  /// The names by which browsers may call the server, without ports.
  let hosts: AllowedHosts

  package func handle(
    _ request: Request, context: ReviewContext, next: (Request, ReviewContext) async throws -> Response
  ) async throws -> Response {
    var response: Response
    if let refusal = refusal(of: request) {
      response = Response(status: refusal)
    } else {
      do {
        response = try await next(request, context)
      } catch let error as any HTTPResponseError {
        response = try error.response(from: request, context: context)
      }
    }
    for (name, value) in Self.headers where response.headers[name] == nil { response.headers[name] = value }
    return response
  }

  private func refusal(of request: Request) -> HTTPResponse.Status? {
    guard let authority = request.head.authority, hosts.contains(authority) else {
      return .misdirectedRequest
    }
    if request.method == .get || request.method == .head { return nil }
    // Browsers send Origin with every request that is not GET or HEAD; other programs say that they are none.
    guard request.headers[.origin] == "http://\(authority)", request.headers[Self.marker] != nil else {
      return .forbidden
    }
    return nil
  }

  /// No form can set it, and no foreign script without being asked about.
  package static let marker = name("X-CleanNet")

  private static let headers: [(HTTPField.Name, String)] = [
    (
      .contentSecurityPolicy,
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    (.xContentTypeOptions, "nosniff"),
    (name("Referrer-Policy"), "no-referrer"),
    (name("Cross-Origin-Resource-Policy"), "same-origin"),
    (name("Cross-Origin-Opener-Policy"), "same-origin"),
    (name("Permissions-Policy"), "camera=(), geolocation=(), microphone=()"),
    (.cacheControl, "no-store"),
  ]

  static func name(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is no name of a header") }
    return name
  }
}

/// Names of this server.
struct AllowedHosts: Sendable {
  private let names: Set<String>
  /// Whether addresses in digits will do: only names can be rebound.
  private let allowsAddresses: Bool

  init(_ configuration: ReviewConfiguration) {
    names = Set(["localhost", "127.0.0.1", "[::1]", configuration.address] + configuration.hostNames)
    allowsAddresses = !configuration.isLoopback
  }

  /// - Parameter authority: `host:port` or `host`.
  func contains(_ authority: String) -> Bool {
    let host = Self.host(authority).lowercased()
    return names.contains(host) || allowsAddresses && Self.isAddress(host)
  }

  static func host(_ authority: String) -> String {
    let bytes = authority.utf8
    guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")), bytes.last != UInt8(ascii: "]") else {
      return authority
    }
    return String(authority[..<colon])
  }

  private static func isAddress(_ host: String) -> Bool {
    if host.hasPrefix("["), host.hasSuffix("]") {
      return host.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
    }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }
}
