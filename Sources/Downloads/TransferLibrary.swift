import CDownloads
import DynamicLibraries
import Foundation

/// libcurl, which speaks with servers: the file `$CLEANNET_LIBCURL`, or the system's library. Opened before the first
/// download, so that everything else works without it.
package enum TransferLibrary {
  /// The names of its interface: libcurl with OpenSSL, and Debian's with GnuTLS.
  static let names = ["libcurl.so.4", "libcurl-gnutls.so.4"]

  /// Opens libcurl, if that has not happened yet.
  ///
  /// - Throws: ``TransferLibraryError`` when it is missing, too old or not whole.
  package static func load() throws(TransferLibraryError) { _ = try loaded.get() }

  /// libcurl's own description: "libcurl/7.88.1 OpenSSL/3.0.15 …".
  package static var version: String {
    get throws(TransferLibraryError) { try loaded.get() }
  }

  private static let loaded: Result<String, TransferLibraryError> = open(
    ProcessInfo.processInfo.environment["CLEANNET_LIBCURL"].map { [$0] } ?? names)

  private static func open(_ names: [String]) -> Result<String, TransferLibraryError> {
    var reason: String?
    for name in names {
      do throws(DynamicLibraryError) {
        let library = try DynamicLibrary(name)
        if let function = cdownloads_find(library.handle) {
          return .failure(
            TransferLibraryError(
              what: "\(name) is too old for downloads, or another library: it lacks "
                + String(cString: function)))
        }
        return .success(String(cString: cdownloads_version()))
      } catch {
        if !error.isMissing(name) { reason = reason ?? error.reason }
      }
    }
    let what =
      reason.map { "libcurl, which downloads images, cannot be loaded: \($0)" }
      ?? "libcurl, which downloads images, is not installed"
    return .failure(TransferLibraryError(what: what))
  }
}

/// Why images cannot be downloaded.
package struct TransferLibraryError: Error, Sendable, Hashable, CustomStringConvertible {
  package let what: String
  /// The remedy, a sentence without its full stop.
  package let remedy =
    "On Debian and Ubuntu: apt-get install libcurl4; or name the library in CLEANNET_LIBCURL"

  package var description: String { "\(what). \(remedy)." }
}
