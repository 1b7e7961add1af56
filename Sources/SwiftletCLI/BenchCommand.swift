import ArgumentParser
import Swiftlet

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how fast a model runs here.",
    discussion: """
      As llama-bench: fixed tokens, no sampling, a warm-up, medians. Beside decoding stands how much of
      the memory bandwidth it reaches that the same threads read in the same run.

      Examples:
        swiftlet bench -m model.gguf -p 512 -n 128 -d 2048
        swiftlet bench --kernels
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var compute: ComputeArguments

  @Option(name: [.customShort("p"), .long], help: "Tokens of the prompt; 0 leaves it out.")
  var prompt = 512

  @Option(name: [.customShort("n"), .long], help: "Tokens to generate; 0 leaves them out.")
  var generate = 128

  @Option(name: [.short, .long], help: "Tokens in the cache beforehand.")
  var depth = 0

  @Option(name: [.customShort("b"), .long], help: "Sequences decoded together.")
  var sequences = 1

  @Option(name: [.short, .long], help: "Repetitions, of which the median is shown.")
  var repetitions = 5

  @Flag(help: "Print a JSON object instead of a Markdown table.")
  var json = false

  @Flag(help: "Measure single kernels on one thread, and no model.")
  var kernels = false

  @Option(help: .init("Call only this kernel, so many times.", visibility: .hidden))
  var call: KernelCalls?

  func validate() throws {
    for (name, value, range) in [
      ("prompt", prompt, 0...1 << 20), ("generate", generate, 0...1 << 20),
      ("depth", depth, 0...1 << 20), ("sequences", sequences, 1...1024),
      ("repetitions", repetitions, 1...1000),
    ] where !range.contains(value) {
      throw ValidationError(
        "--\(name) \(value): allowed: \(range.lowerBound) to \(range.upperBound)")
    }
  }

  func run() throws {
    try reportingErrors {
      guard !kernels, call == nil else { return try KernelReport().run(self) }
      let location = try model.location()
      let language = try LanguageModel(
        path: try location.fetch(), options: try compute.loadingOptions(location.settings))
      var benchmark = Benchmark()
      benchmark.promptTokens = prompt
      benchmark.generatedTokens = generate
      benchmark.depth = depth
      benchmark.sequences = sequences
      benchmark.repetitions = repetitions
      let result = try benchmark.run(language)
      if json {
        StandardOutput.writeJSON(Report(result, language))
      } else {
        StandardOutput.write(table(result, language))
      }
    }
  }

  private func table(_ result: Benchmark.Result, _ language: LanguageModel) -> String {
    var rows = ["| measure | median | least to most |", "|---|---:|---:|"]
    func add(_ name: String, _ series: Benchmark.Series?) {
      guard let series else { return }
      let range = series.range
      rows.append(
        "| \(name) | \(series.median.rounded1) tok/s | "
          + "\(range.lowerBound.rounded1) to \(range.upperBound.rounded1) |")
    }
    let place = depth > 0 ? " at depth \(depth)" : ""
    let together = sequences > 1 ? ", \(sequences) sequences" : ""
    add("prompt of \(prompt)\(place)", result.prefill)
    add("reply of \(generate)\(place)\(together)", result.decode)
    var lines = rows
    if let fraction = result.limitFraction {
      let bytes = Double(result.weightBytes + result.cacheBytes)
      lines += [
        "",
        "A step reads \((bytes / 1e6).rounded1) MB; this machine reads "
          + "\((result.readBandwidth / 1e9).rounded1) GB/s: "
          + "\(formatted("%.2f", fraction)) of the limit.",
      ]
    }
    let team = language.model.team
    lines.append(
      "\(team.threadCount) threads, \(team.instructionSet.rawValue), \(repetitions) repetitions.")
    return lines.joined(separator: "\n") + "\n"
  }

  /// The names are part of the contract.
  private struct Report: Encodable {
    let prefill_tps: Double?
    let prefill_samples: [Double]?
    let decode_tps: Double?
    let decode_samples: [Double]?
    let read_bandwidth_gbs: Double
    let bytes_per_token: Int
    let limit_fraction: Double?
    let threads: Int
    let kernels: String

    init(_ result: Benchmark.Result, _ language: LanguageModel) {
      prefill_tps = result.prefill?.median
      prefill_samples = result.prefill?.samples
      decode_tps = result.decode?.median
      decode_samples = result.decode?.samples
      read_bandwidth_gbs = result.readBandwidth / 1e9
      bytes_per_token = result.weightBytes + result.cacheBytes
      limit_fraction = result.limitFraction
      threads = language.model.team.threadCount
      kernels = language.model.team.instructionSet.rawValue
    }
  }
}
