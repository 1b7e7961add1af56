import ArgumentParser
import Swiftlet

struct PerplexityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Measure how well a model foretells a text, as llama-perplexity does.",
    discussion: """
      The text is cut into chunks of --context tokens; the second half of each is scored.

      Examples:
        swiftlet perplexity -m model.gguf -f text.txt
        swiftlet perplexity -m model-q4_0.gguf -f text.txt --reference model-f16.gguf
        swiftlet perplexity -m model.gguf -f text.txt --reference model.gguf --reference-matmul openblas
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var compute: ComputeArguments

  @Option(name: [.short, .long], help: "The text (default: standard input).")
  var file: String?

  @Option(name: [.short, .long], help: "Tokens of a chunk.")
  var context = 512

  @Option(help: "Chunks at most (default: all that the text fills).")
  var chunks: Int?

  @Option(help: "A model to compare with: the mean KL divergence from its probabilities.")
  var reference: String?

  @Option(help: "How the reference's matrices are multiplied: auto, native or openblas.")
  var referenceMatmul = MatmulPath.automatic

  @Flag(help: "Print a JSON object.")
  var json = false

  func validate() throws {
    if !(4...1 << 24).contains(context) {
      throw ValidationError("--context \(context): allowed: 4 to \(1 << 24)")
    }
    if let chunks, chunks < 1 { throw ValidationError("--chunks \(chunks): allowed: 1 and more") }
  }

  func run() throws {
    try reportingErrors {
      let text = try file.map { try StandardInput.read(file: $0) } ?? StandardInput.read()
      let location = try model.location()
      let language = try LanguageModel(
        path: try location.fetch(), options: try compute.loadingOptions(location.settings))
      let other = try reference.map { name in
        let location = try ModelLocation(name)
        var options = try compute.loadingOptions(location.settings)
        options.matmulPath = referenceMatmul
        return try LanguageModel(path: try location.fetch(), options: options)
      }
      var perplexity = Perplexity()
      perplexity.contextLength = context
      perplexity.chunks = chunks
      let line = ProgressLine(title: "perplexity")
      let start = monotonicSeconds()
      Interruption.watch()
      defer { line.finish() }
      do {
        let result = try perplexity.run(
          language, language.promptTokens(raw: text), reference: other
        ) { done, count, result in
          let left = (monotonicSeconds() - start) / Double(done) * Double(count - done)
          line.show(
            share: Double(done) / Double(count),
            "chunk \(done) of \(count), \(format(result.value, 4)) so far, "
              + "\(Int(left.rounded(.up))) s left")
          return !Interruption.happened
        }
        line.finish()
        report(result, seconds: monotonicSeconds() - start)
      } catch is CancellationError {
        line.finish()
        StandardError.write("swiftlet: cancelled\n")
        throw ExitCode(130)
      }
    }
  }

  private func format(_ value: Double, _ digits: Int) -> String {
    formatted("%.\(digits)f", value)
  }

  private struct Report: Encodable {
    struct Divergence: Encodable {
      let mean: Double
      let standard_error: Double
      let largest: Double
      let same_top: Double
      let reference_perplexity: Double
    }
    let perplexity: Double
    let standard_error: Double
    let nll: Double
    let tokens: Int
    let chunks: Int
    let context: Int
    let tokens_per_second: Double
    let kl_divergence: Divergence?
  }

  private func report(_ result: Perplexity.Result, seconds: Double) {
    let error = result.value * result.standardError
    if json {
      StandardOutput.writeJSON(
        Report(
          perplexity: result.value, standard_error: error, nll: result.negativeLogLikelihood,
          tokens: result.tokens, chunks: result.chunks, context: context,
          tokens_per_second: Double(result.chunks * context) / seconds,
          kl_divergence: result.divergence.map {
            .init(
              mean: $0.mean, standard_error: $0.standardError, largest: $0.largest,
              same_top: $0.sameTop, reference_perplexity: $0.referencePerplexity)
          }))
      return
    }
    StandardOutput.write(
      "perplexity \(format(result.value, 4)) +/- \(format(error, 4)) over \(result.tokens) tokens "
        + "of \(result.chunks) chunks\n")
    if let divergence = result.divergence {
      StandardOutput.write(
        """
        reference's perplexity \(format(divergence.referencePerplexity, 4))
        KL divergence from the reference \(format(divergence.mean, 6)) +/- \
        \(format(divergence.standardError, 6)), at most \(format(divergence.largest, 4))
        same likeliest token at \(format(100 * divergence.sameTop, 2)) % of the positions

        """)
    }
  }
}
