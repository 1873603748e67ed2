import Foundation

extension DownloadSettings.Proxy {
  /// The proxy that `https_proxy`, `http_proxy` or `all_proxy` names, in small or capital letters, as for other programs.
  package static func fromEnvironment(
    _ variables: [String: String] = ProcessInfo.processInfo.environment
  ) -> Self? {
    for name in ["https_proxy", "http_proxy", "all_proxy"] {
      guard let text = variables[name] ?? variables[name.uppercased()], !text.isEmpty else { continue }
      let url = URL(string: text.contains("://") ? text : "http://\(text)")
      if let host = url?.host(percentEncoded: false), !host.isEmpty {
        return Self(host: host, port: url?.port ?? 80)
      }
    }
    return nil
  }
}
