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
    help: """
      A GGUF file, a name (see 'swiftlet models list'), hf:OWNER/REPO[:QUANT|/FILE][@REVISION] or a URL \
      (default: the provider's).
      """)
  var model: String?

  @Flag(help: "Read the whole file first and compare its SHA-256.")
  var verify = false

  /// Where the model is, once it is known what is meant.
  func location() throws(HubError) -> ModelLocation { try ModelLocation(model, verifies: verify) }
}

/// How the model computes.
struct ComputeArguments: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: "Threads (default: the model's setting, at most the cores this process may use).")
  var threads: Int?

  @Flag(help: "Run as many threads as --threads says, even more than there are cores.")
  var forceThreads = false

  @Option(help: "How matrices are multiplied: auto, native or openblas.")
  var matmul: MatmulPath = .automatic

  @Option(
    help: """
      How keys and values are kept: int16 (values, and keys that are far, as int8; the default), \
      f16 (the default of weights that are floats), int8 (also q8_0; half the memory, less exact) \
      or f32 (the default of openblas).
      """)
  var cacheType: KeyValueCache.Precision?

  @Option(help: "Prompt tokens computed together (default: the model's setting).")
  var batchSize: Int?

  func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads \(threads): allowed: 1 to 256")
    }
    if let batchSize, !(1...65_536).contains(batchSize) {
      throw ValidationError("--batch-size \(batchSize): allowed: 1 to 65536")
    }
  }

  /// - Parameter settings: the model's, which the arguments override.
  func loadingOptions(_ settings: PerformanceSettings, contextLength: Int? = nil) throws
    -> LoadingOptions
  {
    if let warning = settings.warning { StandardError.write("swiftlet: \(warning)\n") }
    var options = LoadingOptions(settings)
    if let threads {
      let cores = ComputeTeam.coreCount
      options.threads = forceThreads ? threads : min(threads, cores)
      if threads > cores, !forceThreads {
        StandardError.write(
          "swiftlet: \(threads) threads asked for, \(cores) cores: using \(cores) "
            + "(--force-threads uses them all)\n")
      }
    }
    if let batchSize { options.batchSize = batchSize }
    options.matmulPath = matmul
    options.cachePrecision = cacheType
    options.contextLength = contextLength
    options.instructionSet = try .named(environment("SWIFTLET_ISA"))
    return options
  }
}

extension MatmulPath: ExpressibleByArgument {}
extension KeyValueCache.Precision: ExpressibleByArgument {
  /// llama.cpp's users know eight bits as q8_0.
  public init?(argument: String) { self.init(rawValue: argument == "q8_0" ? "int8" : argument) }
}

/// The value of an environment variable; nil where it is not set.
func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
