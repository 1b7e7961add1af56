// swift-tools-version:6.1
import PackageDescription

// Build with `swift build -c release`: without optimization the kernels are a hundred times slower.
let package = Package(
  name: "examples",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "swiftlet", path: "..")],
  targets: ["Hello", "Streaming", "Extraction"].map { name in
    .executableTarget(name: name, dependencies: [.product(name: "Swiftlet", package: "swiftlet")])
  },
  swiftLanguageModes: [.v6]
)
