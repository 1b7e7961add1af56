import ArgumentParser
import Swiftlet

struct LogitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logits",
    abstract: "Write the logits of every position, for comparing engines.",
    discussion: """
      The file is raw float32, [tokens, vocabulary], in the machine's byte order.

      Example:
        swiftlet logits -m model.gguf --ids 1,2,3 -o logits.bin
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var compute: ComputeArguments

  @Argument(help: "A prompt, taken as it is.")
  var prompt: String?

  @Option(help: "Token ids instead of a prompt.")
  var ids: String?

  @Option(name: [.short, .long], help: "The file to write.")
  var output: String

  func validate() throws {
    guard (prompt == nil) != (ids == nil) else {
      throw ValidationError("give either a prompt or --ids")
    }
  }

  func run() throws {
    try reportingErrors {
      let location = try model.location()
      let language = try LanguageModel(
        path: try location.fetch(), options: try compute.loadingOptions(location.settings))
      let tokens =
        try ids.map { try parseTokenIDs($0, below: language.tokenizer.vocabularySize) }
        ?? language.promptTokens(raw: prompt ?? "")
      let limit = language.model.hyperparameters.contextLength
      guard !tokens.isEmpty else { throw GenerationError.emptyPrompt }
      guard tokens.count <= limit else {
        throw GenerationError.promptTooLong(tokens: tokens.count, context: limit)
      }
      // In place once whole: a run that fails leaves nothing half-written.
      let file = try OutputFile(path: output)
      let forward = ForwardPass(language.model, batchSize: language.options.batchSize)
      let cache = try language.model.makeCache(capacity: tokens.count)
      try forward(tokens, cache: cache, wanted: .all) { _, logits in
        try file.write(UnsafeRawBufferPointer(logits))
      }
      try file.publish()
    }
  }
}
