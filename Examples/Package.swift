// swift-tools-version:6.1
import PackageDescription

// Build with `swift build -c release`: without optimization the kernels are a hundred times slower.
let package = Package(
  name: "examples",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "swiftlet", path: ".."),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.0.0"),
  ],
  targets: ["Hello", "Streaming", "Extraction"].map { name in
    .executableTarget(name: name, dependencies: [.product(name: "Swiftlet", package: "swiftlet")])
  } + [
    .executableTarget(
      name: "Server",
      dependencies: [
        .product(name: "Swiftlet", package: "swiftlet"),
        .product(name: "Hummingbird", package: "hummingbird"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
