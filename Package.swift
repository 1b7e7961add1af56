// swift-tools-version:6.1
import CompilerPluginSupport
import PackageDescription

// Kernel targets are compiled once per instruction set, which takes `unsafeFlags`. SwiftPM refuses
// those in a dependency by version; `SWIFTLET_NO_UNSAFE_FLAGS=1` builds without them, for the
// instruction set that the consumer's own flags name (docs/architecture.md, "Instruction sets").
let unsafeFlagsAllowed = Context.environment["SWIFTLET_NO_UNSAFE_FLAGS"] == nil

func instructionSet(_ clangFlags: String...) -> [SwiftSetting] {
  guard unsafeFlagsAllowed else { return [] }
  // -Ounchecked: the kernels are the only place with raw pointers, and their callers check bounds.
  return [.unsafeFlags(["-Ounchecked", "-wmo"] + clangFlags.flatMap { ["-Xcc", $0] })]
}

// Tests look inside of release builds. A flag for our targets alone: what they depend on, of which
// swift-syntax takes minutes, is built once for `swift build` and `swift test`.
let testing = Context.environment["SWIFTLET_TESTING"] != nil ? ["-enable-testing"] : []

let strict: [SwiftSetting] =
  unsafeFlagsAllowed ? [.unsafeFlags(["-warnings-as-errors"] + testing)] : []

/// A target that needs no special flags, in the order of docs/architecture.md.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency]
) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "swiftlet",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Swiftlet", targets: ["Swiftlet"]),
    .library(name: "GGUF", targets: ["GGUF"]),
    .library(name: "Tokenization", targets: ["Tokenization"]),
    .library(name: "Llama", targets: ["Llama"]),
    .executable(name: "swiftlet", targets: ["SwiftletCLI"]),
  ],
  traits: [
    .trait(
      name: "Macros",
      description: "@Generable and @Guide, for which swift-syntax is built (minutes)"),
    .default(enabledTraits: ["Macros"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-crypto", "3.12.0"..<"5.0.0"),
    .package(url: "https://github.com/swiftlang/swift-syntax", "600.0.1"..<"700.0.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
  ],
  targets: [
    // Bytes on disk.
    room("GGUF"),

    // Kernels: one source, one target per instruction set.
    .target(name: "CIntrinsics"),
    room("KernelCore"),
    .target(
      name: "KernelsPortable", dependencies: ["KernelCore"],
      swiftSettings: instructionSet() + strict),
    .target(
      name: "KernelsAVX2", dependencies: ["KernelCore", "CIntrinsics"],
      swiftSettings: instructionSet("-mavx2", "-mfma", "-mf16c") + strict),
    .target(
      name: "KernelsAVX512", dependencies: ["KernelCore", "CIntrinsics"],
      swiftSettings: instructionSet(
        "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni", "-mavx2", "-mfma",
        "-mf16c") + strict),

    // Libraries of the system, loaded when they are first needed: nothing is linked.
    room("SystemLibraries"),
    .systemLibrary(
      name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),

    // Texts of formats.
    room("OrderedJSON"),
    room("Jinja", ["OrderedJSON"]),

    // Tensors, tokens, text.
    room(
      "Compute",
      [
        "GGUF", "KernelCore", "KernelsPortable", "KernelsAVX2", "KernelsAVX512", "CIntrinsics",
        "SystemLibraries",
      ]),
    room("Llama", ["Compute", "GGUF"]),
    room("Tokenization", ["GGUF"]),
    room("Prompting", ["Tokenization", "Jinja", "OrderedJSON"]),
    room("Grammars", ["Tokenization", "OrderedJSON"]),
    room("Generation", ["Llama", "Tokenization", "Grammars"]),
    room(
      "ModelHub",
      [
        "CCurl", "SystemLibraries", "OrderedJSON",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .macro(
      name: "SwiftletMacros",
      dependencies: [
        .product(name: "SwiftSyntaxMacros", package: "swift-syntax"),
        .product(name: "SwiftCompilerPlugin", package: "swift-syntax"),
      ], swiftSettings: strict),
    room(
      "Swiftlet",
      [
        "Generation", "Grammars", "Prompting", "ModelHub", "Llama", "Compute", "Tokenization",
        "GGUF", "OrderedJSON",
        .target(name: "SwiftletMacros", condition: .when(traits: ["Macros"])),
      ]),
    .executableTarget(
      name: "SwiftletCLI",
      dependencies: [
        "Swiftlet", "OrderedJSON", "SystemLibraries",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["GGUF"], path: "Tests/TestSupport",
      exclude: ["hub_server.py", "run_cases.py", "chat_terminal.py", "validate_json.py"],
      swiftSettings: strict),
    tests("GGUFTests", ["GGUF", "TestSupport"]),
    tests("ComputeTests", ["Compute", "GGUF", "KernelCore", "TestSupport"]),
    tests("LlamaTests", ["Llama", "TestSupport"]),
    tests("TokenizationTests", ["Tokenization", "TestSupport"]),
    tests("JinjaTests", ["Jinja", "OrderedJSON", "TestSupport"]),
    tests("PromptingTests", ["Prompting", "TestSupport"]),
    tests("GrammarsTests", ["Grammars", "OrderedJSON", "TestSupport"]),
    tests("GenerationTests", ["Generation", "TestSupport"]),
    .testTarget(
      name: "SwiftletTests",
      dependencies: [
        "Swiftlet", "OrderedJSON", "TestSupport", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ModelHubTests",
      dependencies: ["ModelHub", "TestSupport", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: strict),
    tests("CommandTests", ["SwiftletCLI", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)

// Programs for libFuzzer, which only a toolchain with it can link: scripts/fuzz sets this.
if Context.environment["SWIFTLET_FUZZ"] != nil {
  package.targets.append(.systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzzing/CLibFuzzer"))
  for (name, dependencies) in [
    ("GGUF", ["GGUF", "Compute", "Llama"]), ("Tokenizer", ["GGUF", "Tokenization"]),
    ("Template", ["Jinja", "OrderedJSON"]),
  ] {
    package.targets.append(
      .executableTarget(
        name: "Fuzz\(name)",
        dependencies: (["CLibFuzzer"] + dependencies).map { .byName(name: $0) },
        path: "Tests/Fuzzing/\(name)", swiftSettings: strict,
        linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
  }
}
