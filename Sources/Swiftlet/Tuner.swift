/// Finds the number of threads and the batch size that a model is fastest with on this machine.
public struct Tuner: Sendable {
  /// What was measured with one number of threads, in tokens a second.
  public struct Measurement: Sendable {
    /// Threads that were tried.
    public let threads: Int
    /// By batch size: a prompt of 512.
    public let prefill: [(batchSize: Int, tokensPerSecond: Double)]
    /// A reply of 64.
    public let decode: Double

    /// The smallest batch size within 2 % of the best: it needs the least memory.
    public var batchSize: Int {
      let best = prefill.map(\.tokensPerSecond).max() ?? 0
      return prefill.first { $0.tokensPerSecond >= 0.98 * best }?.batchSize ?? 512
    }

    /// Seconds that a prompt of 512 and a reply of 128 take.
    var seconds: Double { 512 / (prefill.map(\.tokensPerSecond).max() ?? 1) + 128 / decode }
  }

  /// How often each setting is measured.
  public var repetitions = 3
  /// The batch sizes that are tried.
  public static let batchSizes = [32, 64, 128, 256, 512]

  /// A tuner with the usual repetitions.
  public init() {}

  /// Every number of threads up to eight, then every fourth, and all cores.
  static func threadCounts(cores: Int) -> [Int] {
    (1...max(1, cores)).filter { $0 <= 8 || $0 % 4 == 0 || $0 == cores }
  }

  /// Measures the model at `path` with each number of threads.
  ///
  /// - Parameters:
  ///   - path: a GGUF file.
  ///   - options: all but threads and batch size.
  ///   - body: called with each measurement; false ends it.
  /// - Throws: as `LanguageModel.init(path:options:)`.
  public func run(
    path: String, options: LoadingOptions, _ body: (Measurement) -> Bool
  ) throws {
    for threads in Self.threadCounts(cores: ComputeTeam.coreCount) {
      var options = options
      options.threads = threads
      var benchmark = Benchmark()
      benchmark.repetitions = repetitions
      let language = try LanguageModel(path: path, options: options)
      let context = language.model.hyperparameters.contextLength
      benchmark.promptTokens = 0
      benchmark.generatedTokens = min(64, context)
      let decode = try benchmark.run(language).decode
      benchmark.generatedTokens = 0
      benchmark.promptTokens = min(512, context)
      let prefill = try Self.batchSizes.map { size in
        benchmark.batchSize = size
        return (
          batchSize: size, tokensPerSecond: try benchmark.run(language).prefill?.median ?? 0
        )
      }
      guard
        body(Measurement(threads: threads, prefill: prefill, decode: decode?.median ?? 0))
      else { return }
    }
  }

  /// Of `measurements` the fastest; fewer threads where more gain less than 2 %.
  public static func best(_ measurements: [Measurement]) -> Measurement? {
    let least = measurements.map(\.seconds).min() ?? 0
    return measurements.first { $0.seconds <= 1.02 * least }
  }
}
