// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that users of the library do not build it. Run by Scripts/bench.
let package = Package(
  name: "Benchmarks",
  dependencies: [
    .package(name: "cleannet", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .executableTarget(
      name: "cleannet-bench",
      dependencies: [
        .product(name: "CleanNet", package: "cleannet"),
        .product(name: "CleanNetTools", package: "cleannet"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ])
  ]
)
