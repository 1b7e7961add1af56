import ArgumentParser
import Swiftlet

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Generate a reply to a prompt.",
    discussion: """
      Standard input, when piped, is appended to the prompt.

      Examples:
        swiftlet run "What is the capital of France?"
        swiftlet run -m model.gguf --raw "Once upon a time" -n 50
        cat notes.txt | swiftlet run "Summarize in one sentence:"
        swiftlet run --json-schema '{"enum": ["yes", "no"]}' "Is Paris in France?"
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var compute: ComputeArguments
  @OptionGroup var sampling: SamplingArguments
  @OptionGroup var form: GrammarArguments

  @Argument(help: "The prompt; words are joined by spaces.")
  var prompt: [String] = []

  @Option(help: "A system message instead of the model's own.")
  var system: String?

  @Flag(help: "Continue the prompt as it is, without the chat template.")
  var raw = false

  @Option(name: [.customShort("n"), .long], help: "Tokens of the reply at most.")
  var maxTokens: Int?

  @Option(name: [.short, .long], help: "Positions of prompt and reply together.")
  var context: Int?

  @Option(help: "Text that ends the reply; may be given more than once.")
  var stop: [String] = []

  @Option(
    help: "Report the logarithms of the K likeliest probabilities of each token (with --json).")
  var logprobs: Int?

  @Option(
    help: "Guess tokens from earlier text and check several at once: auto or off. Same text.")
  var speculation = DecodingOptions.Speculation.automatic

  @Flag(help: "Print timings to standard error.")
  var stats = false

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func validate() throws {
    if let maxTokens, maxTokens < 1 {
      throw ValidationError("--max-tokens \(maxTokens): allowed: 1 and more")
    }
    if let context, !(1...1 << 24 ~= context) {
      throw ValidationError("--context \(context): allowed: 1 to \(1 << 24)")
    }
    if let logprobs, !(0...100 ~= logprobs) {
      throw ValidationError("--logprobs \(logprobs): allowed: 0 to 100")
    }
  }

  func run() throws {
    try reportingErrors {
      let start = monotonicSeconds()
      let text = try fullPrompt()
      let location = try model.location()
      let language = try LanguageModel(
        path: try location.fetch(),
        options: try compute.loadingOptions(location.settings, contextLength: context))
      let ids = try promptTokens(text, language)
      let loaded = monotonicSeconds()

      var options = DecodingOptions()
      options.sampling = sampling.options
      options.maximumResponseTokens = maxTokens
      options.stopStrings = stop
      options.logProbabilityCount = logprobs
      options.speculation = speculation
      try form.apply(to: &options, language)

      let generator = try language.makeGenerator()
      let output = ReplyOutput(isJSON: json)
      Interruption.watch()
      let summary = try generator.generate(
        ids, options: options, isCancelled: { Interruption.happened }
      ) { output.write($0) }
      output.finish(
        summary, loadSeconds: loaded - start, printsStatistics: stats, tokenizer: language.tokenizer
      )
      if summary.finishReason == .cancelled { throw ExitCode(130) }
      guard summary.isWhole else {
        StandardError.write(
          "swiftlet: the reply ended (\(summary.finishReason.rawValue)) before it was whole: "
            + "its grammar needs more tokens\n")
        throw ExitCode(1)
      }
    }
  }

  /// The arguments, then what is piped in.
  private func fullPrompt() throws -> String {
    let piped = try StandardInput.readIfPiped()
    let words = prompt.joined(separator: " ")
    let text = words.isEmpty ? piped : piped.isEmpty ? words : words + "\n" + piped
    guard !text.isEmpty else {
      throw ValidationError("no prompt: give it as an argument or on standard input")
    }
    return text
  }

  private func promptTokens(_ text: String, _ language: LanguageModel) throws -> [Int] {
    guard !raw else { return language.promptTokens(raw: text) }
    var messages = [ChatMessage(.user, text)]
    if let system { messages.insert(ChatMessage(.system, system), at: 0) }
    return try language.promptTokens(messages)
  }
}

extension DecodingOptions.Speculation: ExpressibleByArgument {}

struct SamplingArguments: ParsableArguments {
  @Option(help: "Randomness; 0 always takes the likeliest token.")
  var temperature: Float = SamplingOptions().temperature
  @Option(help: "Keep the K likeliest tokens; 0 keeps all.")
  var topK = SamplingOptions().topK
  @Option(help: "Keep the likeliest tokens up to this probability; 1 is off.")
  var topP: Float = SamplingOptions().topP
  @Option(help: "Keep tokens this likely relative to the likeliest; 0 is off.")
  var minP: Float = SamplingOptions().minP
  @Option(help: "Locally typical sampling; 1 is off.")
  var typicalP: Float = SamplingOptions().typicalP
  @Option(help: "Penalty on tokens of the last 64; 1 is off.")
  var repeatPenalty: Float = SamplingOptions().repeatPenalty
  @Option(help: "DRY: penalty on going on with a repetition; 0 is off, 0.8 is usual.")
  var dryMultiplier: Float = SamplingOptions.DRY().multiplier
  @Option(help: "DRY: what the penalty grows by with each token of the repetition.")
  var dryBase: Float = SamplingOptions.DRY().base
  @Option(help: "DRY: shorter repetitions cost nothing.")
  var dryAllowedLength = SamplingOptions.DRY().allowedLength
  @Option(help: "Seed of the random numbers (default: a new one each time).")
  var seed: UInt32?

  var options: SamplingOptions {
    var options = SamplingOptions()
    options.temperature = temperature
    options.topK = topK
    options.topP = topP
    options.minP = minP
    options.typicalP = typicalP
    options.repeatPenalty = repeatPenalty
    options.dry.multiplier = dryMultiplier
    options.dry.base = dryBase
    options.dry.allowedLength = dryAllowedLength
    options.seed = seed
    return options
  }

  func validate() throws {
    func require(_ ok: Bool, _ name: String, _ value: Float, _ allowed: String) throws {
      if !ok { throw ValidationError("--\(name) \(value): allowed: \(allowed)") }
    }
    try require((0...100).contains(temperature), "temperature", temperature, "0 to 100")
    try require(topK >= 0, "top-k", Float(topK), "0 and more")
    try require((0...1).contains(topP), "top-p", topP, "0 to 1")
    try require((0...1).contains(minP), "min-p", minP, "0 to 1")
    try require(typicalP > 0 && typicalP <= 1, "typical-p", typicalP, "above 0, to 1")
    try require(
      repeatPenalty > 0 && repeatPenalty <= 100, "repeat-penalty", repeatPenalty, "above 0, to 100")
    try require((0...100).contains(dryMultiplier), "dry-multiplier", dryMultiplier, "0 to 100")
    try require((1...100).contains(dryBase), "dry-base", dryBase, "1 to 100")
    try require(dryAllowedLength >= 0, "dry-allowed-length", Float(dryAllowedLength), "0 and more")
  }
}
