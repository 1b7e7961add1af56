import ArgumentParser
import Swiftlet

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Which model, as every command takes it.
struct ModelArgument: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: "A GGUF file, or the name of a model (see 'swiftlet models list').")
  var model = Catalogue.defaultShortName

  func path() throws -> String { try ModelLocation.resolve(model) }
}

/// How the model computes.
struct ComputeArguments: ParsableArguments {
  @Option(name: [.short, .long], help: "Threads (default: the cores this process may use).")
  var threads: Int?

  @Option(help: "How matrices are multiplied: native or openblas.")
  var matmul: MatmulPath = .native

  @Option(help: "Prompt tokens computed together.")
  var batchSize = 512

  func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads \(threads): allowed: 1 to 256")
    }
    guard (1...65_536).contains(batchSize) else {
      throw ValidationError("--batch-size \(batchSize): allowed: 1 to 65536")
    }
  }

  func loadingOptions(contextLength: Int? = nil) throws -> LoadingOptions {
    var options = LoadingOptions()
    options.threads = threads
    options.matmulPath = matmul
    options.batchSize = batchSize
    options.contextLength = contextLength
    options.instructionSet = try .named(environment("SWIFTLET_ISA"))
    return options
  }
}

extension MatmulPath: ExpressibleByArgument {
  public init?(argument: String) {
    self.init(rawValue: argument == "auto" ? MatmulPath.native.rawValue : argument)
  }
}

/// The value of an environment variable; nil where it is not set.
func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
