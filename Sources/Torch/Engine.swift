import CTorch
import DynamicLibraries
import Files
import Foundation

/// The compute engine, libtorch, opened on first use.
///
/// libtorch takes half a second and 160 MB to load, so it lies behind a shared library of its own
/// (`libCleanNetEngine.so`). That is opened when the first tensor is made, or by ``load()``, which reports faults
/// instead of trapping. It is looked for in the file `$CLEANNET_ENGINE`, beside the running program, in `../lib` and
/// `../lib/cleannet` from there, and where Scripts/build-engine puts what it compiles. A folder may hold several,
/// compiled against different versions of libtorch: the first that can be loaded is taken.
public enum Engine {
  /// Opens the engine, if that has not happened yet. Programs with a user call it before their first tensor.
  ///
  /// - Throws: ``EngineError`` when the library is missing, cannot be loaded, or was compiled against another
  ///   libtorch than the one it found.
  public static func load() throws(EngineError) {
    if case .failure(let error) = table { throw error }
  }

  /// The version of libtorch that the engine runs on, "1.13.1".
  public static var version: String {
    loadedVersion(configuration: String(cString: functions.configuration())) ?? compiledVersion
  }

  /// The version of the headers that the engine was compiled against.
  public static var compiledVersion: String { String(cString: functions.compiled_version()) }

  /// libtorch's own account of how it was built.
  public static var configuration: String { String(cString: functions.configuration()) }

  /// The linear algebra library in use, for example "OpenBLAS 0.3.21 … SkylakeX", or "reference".
  public static var blas: String { String(cString: functions.blas()) }

  /// The number of threads that operations called from this thread may use. No other thread notices a change.
  public static var threads: Int {
    get { Int(functions.threads()) }
    set { functions.set_threads(Int32(newValue)) }
  }

  /// As many threads of ``threads`` as may each take this many bytes.
  package static func threads(each bytes: Int) -> Int { MemoryLimit.threads(threads, each: bytes) }

  /// How much memory the process may hold, in bytes.
  package static var memoryLimit: Int { MemoryLimit.bytes }

  /// Sets the number of threads for the whole process: this thread, and threads that compute for the first time later.
  public static func setProcessThreads(_ threads: Int) { functions.set_process_threads(Int32(threads)) }

  /// The functions of the engine. Traps where ``load()`` would throw.
  static var functions: CTorchEngine {
    switch table {
    case .success(let table): table.functions
    case .failure(let error): fatalError("\(error)")
    }
  }

  /// Ends the program with libtorch's message: a wrong shape or type is the programmer's mistake.
  static func trap(_ operation: StaticString) -> Never {
    fatalError("\(operation): \(String(cString: functions.last_error()))")
  }

  /// libtorch's version as its configuration text states it.
  static func loadedVersion(configuration: String) -> String? {
    guard let start = configuration.range(of: "TORCH_VERSION=") else { return nil }
    let version = configuration[start.upperBound...].prefix { $0.isNumber || $0 == "." }
    return version.isEmpty ? nil : String(version)
  }

  private struct Table: @unchecked Sendable {
    // Safe: function pointers into a library that is never closed; the engine takes calls from any thread.
    let functions: CTorchEngine
  }

  private static let table: Result<Table, EngineError> = open()

  private static func open() -> Result<Table, EngineError> {
    var reasons: [String] = []
    var mismatch: EngineError?
    for path in candidates() where FileManager.default.fileExists(atPath: path) {
      let functions: CTorchEngine
      do throws(DynamicLibraryError) {
        // Its names stay its own: libtorch carries copies of common libraries.
        guard let table = ctorch_engine(try DynamicLibrary(path).handle) else {
          reasons.append("\(path) is no engine of this version of CleanNet")
          continue
        }
        // A table of another shape holds other functions in the same places: nothing in it may be called.
        guard ctorch_table_fits(table) else { return .failure(.otherVersion(path: path)) }
        functions = table.pointee
      } catch {
        reasons.append(error.reason)
        continue
      }
      let compiled = String(cString: functions.compiled_version())
      if let loaded = loadedVersion(configuration: String(cString: functions.configuration())),
        !sameSeries(compiled, loaded)
      {
        mismatch = mismatch ?? .versionMismatch(compiled: compiled, loaded: loaded)
        continue
      }
      return .success(Table(functions: functions))
    }
    if let mismatch { return .failure(mismatch) }
    return .failure(reasons.isEmpty ? .missing(searched: candidates()) : .unloadable(reason: reasons[0]))
  }

  /// Whether two versions agree in their first two numbers; libtorch keeps its binary interface only within those.
  static func sameSeries(_ a: String, _ b: String) -> Bool {
    a.split(separator: ".").prefix(2) == b.split(separator: ".").prefix(2)
  }

  /// The files that are tried, in their order.
  private static func candidates() -> [String] {
    let environment = ProcessInfo.processInfo.environment
    if let named = environment["CLEANNET_ENGINE"] { return [named] }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let folders = ["", "../lib", "../lib/cleannet"].map {
      program.appendingPathComponent($0).standardizedFileURL.path
    }
    return (folders + [cacheFolder]).flatMap { folder -> [String] in
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      let engines = files.filter { $0.hasPrefix("libCleanNetEngine") && $0.hasSuffix(".so") }.sorted()
      return (engines.isEmpty ? ["libCleanNetEngine.so"] : engines).map { "\(folder)/\($0)" }
    }
  }

  /// `$XDG_CACHE_HOME/cleannet/engines`, by default below `~/.cache`: where Scripts/build-engine puts an engine that it
  /// compiles for one user.
  private static var cacheFolder: String {
    let cache = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? ""
    return (cache.isEmpty ? NSHomeDirectory() + "/.cache" : cache) + "/cleannet/engines"
  }
}

/// Why the engine cannot be used.
public enum EngineError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No engine library was found at any of the paths.
  case missing(searched: [String])
  /// The library is there, but the system cannot load it.
  case unloadable(reason: String)
  /// The library is an engine of another version of CleanNet.
  case otherVersion(path: String)
  /// libtorch's binary interface differs between the two versions.
  case versionMismatch(compiled: String, loaded: String)

  public var description: String {
    switch self {
    case .missing(let searched):
      "The compute engine libCleanNetEngine.so is missing. `cleannet doctor` names the commands that install it. From the "
        + "sources, build it with `swift build --product CleanNetEngine`, or name its file in CLEANNET_ENGINE. In a Swift "
        + "package: Add the product CleanNetEngine to the dependencies of your program's target. Searched: "
        + searched.joined(separator: ", ")
    case .unloadable(let reason):
      "The compute engine cannot be loaded: \(reason). `cleannet doctor` names the commands that repair it: install the "
        + "libtorch that it was compiled for, or compile it for the installed one."
    case .otherVersion(let path):
      "The compute engine \(path) belongs to another version of CleanNet. Build it again: `swift build --product "
        + "CleanNetEngine` from the sources, or build-engine (see `cleannet doctor`) for an installed program."
    case .versionMismatch(let compiled, let loaded):
      "The compute engine was compiled against libtorch \(compiled), but the system loads libtorch \(loaded). "
        + "Compile it again (`cleannet doctor` names the command), or correct LD_LIBRARY_PATH."
    }
  }
}
