import ArgumentParser
import Foundation
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
      // Beside the target, then renamed: a run that fails leaves nothing half-written.
      let partial = output + ".partial"
      guard let stream = fopen(partial, "wb") else {
        throw CommandFailure("\(output): \(String(cString: strerror(errno)))")
      }
      do {
        try write(tokens, language, to: stream)
      } catch {
        fclose(stream)
        unlink(partial)
        throw error
      }
      guard fclose(stream) == 0, rename(partial, output) == 0 else {
        let reason = String(cString: strerror(errno))
        unlink(partial)
        throw CommandFailure("\(output): \(reason)")
      }
    }
  }

  private func write(
    _ tokens: [Int], _ language: LanguageModel, to stream: UnsafeMutablePointer<FILE>
  ) throws {
    let forward = ForwardPass(language.model, batchSize: language.options.batchSize)
    let cache = try language.model.makeCache(capacity: tokens.count)
    try forward(tokens, cache: cache, wanted: .all) { _, logits in
      guard fwrite(logits.baseAddress, 4, logits.count, stream) == logits.count else {
        throw CommandFailure("\(output): \(String(cString: strerror(errno)))")
      }
    }
  }
}
