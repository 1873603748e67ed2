// swift-tools-version: 6.1
import PackageDescription

// Small programs that use CleanNet as a library. This is a package of its own, as yours would be: `swift run JudgeFeatures`.
// The main package also compiles these sources in its test build, with access to public declarations only.
let package = Package(
  name: "CleanNetExamples",
  dependencies: [.package(name: "cleannet", path: "../..")],
  targets: [
    .executableTarget(
      name: "JudgeFeatures",
      dependencies: [
        .product(name: "CleanNet", package: "cleannet"),
        // The compute engine: a shared library that comes to lie beside the program.
        .product(name: "CleanNetEngine", package: "cleannet"),
      ]),
    .executableTarget(
      name: "ReadWorkspace", dependencies: [.product(name: "CleanNetWorkspace", package: "cleannet")]),
  ]
)
