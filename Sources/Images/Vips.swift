import CImages
import DynamicLibraries
import Foundation

/// libvips, which decodes images: the file `$CLEANNET_LIBVIPS`, or the system's library.
///
/// It is opened on first use, so that what needs no image works without it, and by ``load()``, which says what is wrong
/// before work begins. Where it cannot be loaded, every image is refused with the same words.
package enum Vips {
  /// Opens libvips, if that has not happened yet. Programs with a user call it before their first image.
  ///
  /// - Throws: ``VipsError`` when it is missing, too old or not whole.
  package static func load() throws(VipsError) { _ = try loaded.get() }

  /// The version in use, "8.14.1".
  package static var version: String {
    get throws(VipsError) { try loaded.get() }
  }

  /// The name of its interface, which has been the same for all versions 8.
  static let library = "libvips.so.42"
  /// The first version that tells the warnings of a decoder from its errors.
  static let oldest = [8, 12]

  private static let loaded: Result<String, VipsError> = open(
    ProcessInfo.processInfo.environment["CLEANNET_LIBVIPS"])

  private static func open(_ named: String?) -> Result<String, VipsError> {
    do throws(DynamicLibraryError) {
      let library = try DynamicLibrary(named ?? library)
      if let function = cimages_find(library.handle) {
        return .failure(.incomplete(named ?? Self.library, lacking: String(cString: function)))
      }
    } catch {
      return .failure(named == nil && error.isMissing(library) ? .missing : .unloadable(reason: error.reason))
    }
    let version = String(cString: cimages_version())
    guard isRecent(version) else { return .failure(.tooOld(version: version)) }
    return cimages_start() ? .success(version) : .failure(.failing(version: version))
  }

  static func isRecent(_ version: String) -> Bool {
    !version.split(separator: ".").map { Int($0) ?? 0 }.lexicographicallyPrecedes(oldest)
  }
}

/// Why images cannot be decoded.
package enum VipsError: Error, Sendable, Hashable, CustomStringConvertible {
  /// There is no libvips.
  case missing
  /// It is there, or was named, but the system cannot load it.
  case unloadable(reason: String)
  /// The library lacks a function: it is another one, or not whole.
  case incomplete(String, lacking: String)
  case tooOld(version: String)
  /// It is loaded, but does not start.
  case failing(version: String)

  package var what: String {
    switch self {
    case .missing: "libvips, which decodes images, is not installed"
    case .unloadable(let reason): "libvips, which decodes images, cannot be loaded: \(reason)"
    case .incomplete(let library, let function): "\(library) is not libvips: it lacks \(function)"
    case .tooOld(let version):
      "libvips \(version) is too old: \(Vips.oldest.map(String.init).joined(separator: ".")) is the oldest that works"
    case .failing(let version): "libvips \(version) does not start"
    }
  }

  /// The remedy, a sentence without its full stop.
  package var remedy: String {
    switch self {
    case .missing, .tooOld:
      "`cleannet doctor` names the command that installs it; or name its file in CLEANNET_LIBVIPS"
    case .unloadable, .incomplete, .failing:
      "Install it again (apt-get install --reinstall libvips42, or pip install --force-reinstall pyvips-binary), or name "
        + "another file in CLEANNET_LIBVIPS"
    }
  }

  package var description: String { "\(what). \(remedy)." }
}
