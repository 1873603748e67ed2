import Foundation

/// The system's names for the libraries that are opened at run time, and its way to install them.
package struct SystemPackages: Sendable {
  package enum Component: Sendable, CaseIterable {
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
    /// The compiler that builds an engine for another libtorch.
    case compiler
    /// Python with its virtual environments, which hold PyTorch's wheel.
    case python
    /// pip, which downloads optional parts.
    case packageInstaller
    /// Fashion-MNIST, the images of the demonstration.
    case demonstration
  }

  /// `ID` and `VERSION_ID` of /etc/os-release: "debian", "12".
  let system: String
  let version: String
  private let relatives: [String]

  /// The system that the program runs on.
  package static let current = SystemPackages(
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
  package func remedy(_ components: Component...) -> String {
    let packages = components.compactMap(package)
    let named = components.map(Self.name).joined(separator: " and ")
    guard packages.count == components.count, let installer else {
      return "Install \(named) with this system's package manager"
    }
    return "Run: \(installer) \(packages.joined(separator: " "))"
  }

  /// How to come by a compute engine that runs on this system, as commands in their order.
  ///
  /// - Parameters:
  ///   - compile: The script that compiles an engine.
  ///   - lacksLibtorchOnly: An engine for this system's own libtorch is there; only libtorch is missing.
  package func engineRemedy(compile: String, lacksLibtorchOnly: Bool = false) -> String {
    if lacksLibtorchOnly, hasPreparedEngine { return remedy(.torch, .linearAlgebra) }
    if packagesTorch { return "\(remedy(.torchHeaders, .linearAlgebra, .compiler)), then: \(compile)" }
    // PyTorch's wheel for processors alone is a tenth of the one for GPUs, which PyPI has.
    let folder = "~/.local/share/cleannet/torch"
    return [
      remedy(.compiler, .python), "python3 -m venv \(folder)",
      "\(folder)/bin/pip install torch --extra-index-url https://download.pytorch.org/whl/cpu",
      "\(compile) --python \(folder)/bin/python",
    ].joined(separator: ", then: ")
  }

  /// Whether an engine for the system's own libtorch comes with the program, so that no compiler is needed.
  var hasPreparedEngine: Bool { system == "debian" && version == "12" }

  /// Whether the system has packages of a libtorch that an engine can be compiled against. Ubuntu 22.04 has a 1.8,
  /// Ubuntu 24.04 none. Debian's next version states no number.
  private var packagesTorch: Bool {
    let major = Int(version.prefix(while: \.isNumber))
    return system == "debian" && (major ?? .max) >= 12 || system == "ubuntu" && (major ?? 0) >= 25
  }

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
      case .torch: return hasPreparedEngine ? "libtorch1.13" : packagesTorch ? "libtorch-dev" : nil
      case .torchHeaders: return packagesTorch ? "libtorch-dev" : nil
      case .linearAlgebra: return "libopenblas0-pthread"
      case .images: return isRenamed ? "libvips42t64" : "libvips42"
      case .transfers: return isRenamed ? "libcurl4t64" : "libcurl4"
      case .compiler: return "g++"
      case .python: return "python3-venv"
      case .packageInstaller: return "python3-pip"
      case .demonstration: return "dataset-fashion-mnist"
      }
    }
    guard isLike("fedora") else { return nil }
    switch component {
    case .images: return "vips"
    case .transfers: return "libcurl"
    case .compiler: return "gcc-c++"
    case .python: return "python3"
    case .packageInstaller: return "python3-pip"
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
    case .python: "Python"
    case .packageInstaller: "pip"
    case .demonstration: "Fashion-MNIST"
    }
  }
}
