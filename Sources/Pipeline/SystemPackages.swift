import Foundation

/// What the system that the program runs on calls the libraries which are opened at run time, and how it installs them.
public struct SystemPackages: Sendable {
  public enum Component: Sendable, CaseIterable {
    /// libtorch, which the compute engine is made of.
    case torch
    /// Its headers, for compiling an engine.
    case torchHeaders
    /// A fast BLAS for libtorch.
    case linearAlgebra
    /// libvips, which decodes images.
    case images
    /// libcurl, which downloads images.
    case transfers
    /// What compiles an engine for another libtorch.
    case compiler
    /// Fashion-MNIST, the images of the demonstration.
    case demonstration
  }

  /// `ID` and `VERSION_ID` of /etc/os-release: "debian", "12".
  let system: String
  let version: String
  private let relatives: [String]

  /// The system that the program runs on.
  public static let current = SystemPackages(
    release: (try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)) ?? "")

  /// - Parameter release: The content of /etc/os-release.
  init(release: String) {
    var fields: [Substring: String] = [:]
    for line in release.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { continue }
      fields[parts[0]] = parts[1].trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))
    }
    system = fields["ID"] ?? ""
    version = fields["VERSION_ID"] ?? ""
    relatives = (fields["ID_LIKE"] ?? "").split(separator: " ").map(String.init)
  }

  /// How to install components, as a sentence without its full stop: "Run: apt-get install …".
  public func remedy(_ components: Component...) -> String {
    let packages = components.compactMap(package)
    let named = components.map(Self.name).joined(separator: " and ")
    guard packages.count == components.count, let installer else {
      return "Install \(named) with this system's package manager"
    }
    return "Run: \(installer) \(packages.joined(separator: " "))"
  }

  /// Whether an engine for the system's own libtorch comes with the program, so that no compiler is needed.
  public var hasPreparedEngine: Bool { system == "debian" && version == "12" }

  private func isLike(_ name: String) -> Bool { system == name || relatives.contains(name) }

  private var installer: String? {
    if isLike("debian") || isLike("ubuntu") { return "apt-get install --no-install-recommends" }
    return isLike("fedora") ? "dnf install" : nil
  }

  /// Packages of the systems that are known; `nil`: none.
  private func package(_ component: Component) -> String? {
    if isLike("debian") || isLike("ubuntu") {
      // Libraries that use 64-bit time got new names in Debian 13 and Ubuntu 24.04.
      let isRenamed =
        !(system == "debian" && version == "12" || system == "ubuntu" && version.hasPrefix("22."))
      switch component {
      case .torch: return hasPreparedEngine ? "libtorch1.13" : "libtorch-dev"
      case .torchHeaders: return "libtorch-dev"
      case .linearAlgebra: return "libopenblas0-pthread"
      case .images: return isRenamed ? "libvips42t64" : "libvips42"
      case .transfers: return isRenamed ? "libcurl4t64" : "libcurl4"
      case .compiler: return "g++"
      case .demonstration: return "dataset-fashion-mnist"
      }
    }
    guard isLike("fedora") else { return nil }
    switch component {
    case .images: return "vips"
    case .transfers: return "libcurl"
    case .compiler: return "gcc-c++"
    case .linearAlgebra, .torch, .torchHeaders, .demonstration: return nil
    }
  }

  private static func name(_ component: Component) -> String {
    switch component {
    case .torch: "libtorch"
    case .torchHeaders: "libtorch's headers"
    case .linearAlgebra: "OpenBLAS"
    case .images: "libvips"
    case .transfers: "libcurl"
    case .compiler: "a C++ compiler"
    case .demonstration: "Fashion-MNIST"
    }
  }
}
