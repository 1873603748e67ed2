// swift-tools-version: 6.1
import Foundation
import PackageDescription

/// Where libtorch lies: Debian's packages by default, another build (say a CUDA wheel's `torch` folder) by
/// `CLEANNET_LIBTORCH`. Only then are unsafe flags needed, for the paths of its headers and libraries.
struct LibTorch {
  let root = ProcessInfo.processInfo.environment["CLEANNET_LIBTORCH"]

  /// libtorch 1.13's headers need C++17; from 2.0 on C++20 is safe, and newer ones refuse less.
  var cxxStandard: CXXLanguageStandard {
    let header = (root ?? "/usr") + "/include/torch/csrc/api/include/torch/version.h"
    guard let text = try? String(contentsOfFile: header, encoding: .utf8) else { return .cxx17 }
    return text.contains("#define TORCH_VERSION_MAJOR 1\n") ? .cxx17 : .cxx20
  }

  var cxxSettings: [CXXSetting] {
    [.define("NDEBUG"), .unsafeFlags(root.map { ["-I\($0)/include"] } ?? [])].filter { _ in root != nil }
      + [.define("CLEANNET_ENGINE")]
  }

  var linkerSettings: [LinkerSetting] {
    let libraries: [LinkerSetting] = [
      .linkedLibrary("torch_cpu"), .linkedLibrary("c10"), .linkedLibrary("dl"),
    ]
    guard let root else { return libraries }
    return libraries + [.unsafeFlags(["-L\(root)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(root)/lib"])]
  }
}

let libTorch = LibTorch()

/// Set by Scripts/fuzz: libFuzzer sees which edges of our own modules an input reaches.
let libFuzzer = ProcessInfo.processInfo.environment["CLEANNET_FUZZ"]

let swiftSettings: [SwiftSetting] =
  [
    // `any` marks where a call is dynamic.
    .enableUpcomingFeature("ExistentialAny")
  ]
  + (libFuzzer == nil
    ? [] : [.unsafeFlags(["-sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp"])])

func module(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target
{
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, exclude: exclude, resources: resources,
    swiftSettings: swiftSettings)
}

/// A program of examples/swift, compiled with the tests. Like a package of somebody else it sees public declarations only.
func example(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "examples/swift/Sources/\(name)", packageAccess: false,
    swiftSettings: swiftSettings)
}

/// SQLite's C functions, for the one loop in which GRDB's checks of each value would cost most of the time.
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")

let package = Package(
  name: "cleannet",
  products: [
    .executable(name: "cleannet", targets: ["cleannet"]),
    .library(name: "CleanNet", targets: ["CleanNet", "Torch"]),
    .library(name: "CleanNetWorkspace", targets: ["Workspace"]),
    .library(name: "CleanNetEngine", type: .dynamic, targets: ["TorchEngine"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    module("DynamicLibraries"),
    .target(name: "CTorch", linkerSettings: [.linkedLibrary("dl")]),
    .target(
      name: "TorchEngine", dependencies: ["CTorch"],
      cxxSettings: libTorch.cxxSettings, linkerSettings: libTorch.linkerSettings),
    module("Torch", ["CTorch", "DynamicLibraries", "Files"]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CFiles"),
    .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
    module("Files", ["CFiles"]),
    module("Datasets", ["CZlib", "Files"]),
    .target(name: "CDownloads", linkerSettings: [.linkedLibrary("dl")]),
    module("Downloads", ["CDownloads", "DynamicLibraries", "Files"]),
    module("CleanNet", ["Torch"]),
    module("Backbones", ["Torch"]),
    .target(name: "CImages", linkerSettings: [.linkedLibrary("dl")]),
    module("Images", ["CImages", "DynamicLibraries"]),
    module(
      "Workspace",
      ["CSQLite", "Datasets", "Files", "Images", .product(name: "GRDB", package: "GRDB.swift"), grdbSQLite]),
    module("Artefacts", ["Files", "Workspace"]),
    .target(name: "CLibSVM", linkerSettings: [.linkedLibrary("dl")]),
    module("Detectors", ["CleanNet", "Torch", "CLibSVM", "DynamicLibraries"]),
    module("Classifier", ["Backbones", "Images", "Torch"]),
    module("Evaluation", ["Detectors", "CleanNet", "Torch"]),
    module(
      "Report", ["CleanNet", "Datasets", "Evaluation", "Images", "Torch", "Workspace"],
      resources: [.embedInCode("Page/Assets/report.css"), .embedInCode("Page/Assets/report.js")]),
    module(
      "Pipeline",
      [
        "Artefacts", "Backbones", "Classifier", "CleanNet", "Datasets", "Detectors", "Downloads",
        "Evaluation",
        "Files", "Images", "Torch", "Workspace",
      ]),
    module(
      "Review",
      [
        "CleanNet", "Datasets", "Evaluation", "Files", "Images", "Torch", "Workspace", hummingbird,
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      // In the program itself, so that it may be copied anywhere.
      resources: [.embedInCode("Page")]),
    .executableTarget(
      name: "cleannet",
      dependencies: [
        "Artefacts", "Files", "Pipeline", "Report", "Review",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),
    // Built by Scripts/bench and with the tests; packages that use the library never build it.
    .executableTarget(
      name: "cleannet-bench",
      dependencies: [
        "Backbones", "Classifier", "CleanNet", "Datasets", "Images", "Pipeline", "Torch", "Workspace",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Benchmarks/Sources/cleannet-bench", swiftSettings: swiftSettings),
    example("JudgeFeatures", ["CleanNet", "Torch"]),
    example("ReadWorkspace", ["Workspace"]),
    tests("ExamplesTests", ["JudgeFeatures", "ReadWorkspace", "TestPrograms"]),
    tests("TorchTests", ["Torch", "Files"]),
    tests("CleanNetTests", ["CleanNet"]),
    .target(name: "TestPrograms", path: "Tests/TestPrograms", swiftSettings: swiftSettings),
    tests("FilesTests", ["Files", "TestPrograms"]),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Backbones", "Datasets", "Images", "Pipeline", "Review", "Torch", "Workspace", hummingbird,
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ],
      path: "Tests/FuzzTargets", swiftSettings: swiftSettings),
    tests("FuzzTests", ["FuzzTargets"], resources: [.copy("Seeds")]),
    tests("DatasetsTests", ["Datasets", "TestPrograms"]),
    .target(
      name: "TestServer",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      path: "Tests/TestServer", swiftSettings: swiftSettings),
    tests("DownloadsTests", ["Downloads", "TestPrograms", "TestServer"]),
    tests("ImagesTests", ["Images", "Torch"], resources: [.copy("Fixtures")]),
    tests(
      "WorkspaceTests",
      ["Workspace", "Datasets", "Images", "TestPrograms", .product(name: "GRDB", package: "GRDB.swift")]),
    tests("BackbonesTests", ["Backbones"], resources: [.copy("Fixtures")]),
    tests("PipelineTests", ["Artefacts", "Pipeline", "CleanNet", "Datasets", "Torch", "Workspace"]),
    tests("ClassifierTests", ["Classifier", "Backbones", "Images", "Torch"]),
    tests(
      "ReviewTests",
      [
        "Review", "Datasets", "Images", "Pipeline", "Report", "TestPrograms", "TestServer", "Torch",
        "Workspace", "cleannet", hummingbird,
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ]),
    tests(
      "CommandLineTests", ["cleannet", "Datasets", "Images", "Pipeline", "TestPrograms", "TestServer"],
      exclude: ["Snapshots"]),
    tests("DetectorsTests", ["CleanNet", "Detectors", "Torch"], resources: [.copy("Fixtures")]),
    tests(
      "EvaluationTests", ["CleanNet", "Evaluation", "Detectors", "Torch"], resources: [.copy("Fixtures")]),
    tests("ReportTests", ["Report", "Workspace", "Datasets", "Images", "Torch"]),
    tests("TorchCheckpointTests", ["Torch"], resources: [.copy("Fixtures")]),
  ],
  cxxLanguageStandard: libTorch.cxxStandard
)

if let libFuzzer {
  package.targets.append(
    .executableTarget(
      name: "cleannet-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz", swiftSettings: swiftSettings,
      linkerSettings: [.unsafeFlags([libFuzzer]), .linkedLibrary("stdc++")]))
}
