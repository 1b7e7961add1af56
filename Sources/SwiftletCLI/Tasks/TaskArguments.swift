import ArgumentParser
import Swiftlet

/// What all tasks on texts have in common.
struct TaskArguments: ParsableArguments {
  @OptionGroup var model: ModelArgument
  @OptionGroup var compute: ComputeArguments

  @Option(help: "Randomness; 0 always takes the likeliest token (default: the task's own).")
  var temperature: Float?

  @Option(help: "Seed of the random numbers (default: a new one each time).")
  var seed: UInt32?

  @Option(name: [.short, .long], help: "Positions of prompt and reply together.")
  var context: Int?

  func validate() throws {
    if let temperature, !(0...100).contains(temperature) {
      throw ValidationError("--temperature \(temperature): allowed: 0 to 100")
    }
    if let context, !(1...1 << 24 ~= context) {
      throw ValidationError("--context \(context): allowed: 1 to \(1 << 24)")
    }
  }

  /// Does `task` on `text`; the result goes to standard output as it is made.
  func run(_ task: TextTask, on text: String) throws {
    let location = try model.location()
    let language = try LanguageModel(
      path: try location.fetch(),
      options: try compute.loadingOptions(location.settings, contextLength: context))
    var sampling = task.sampling
    if let temperature { sampling.temperature = temperature }
    sampling.seed = seed
    Interruption.watch()
    var endsWithNewline = false
    let summary = try language.perform(
      task, on: text, sampling: sampling, isCancelled: { Interruption.happened },
      progress: { part, count in
        if count > 1, StandardError.isTerminal {
          StandardError.write(
            "\rpart \(part) of \(count)\u{1B}[K" + (part == count ? "\r\u{1B}[K" : ""))
        }
      },
      { text in
        StandardOutput.write(text)
        if let last = text.last { endsWithNewline = last.isNewline }
      })
    if !endsWithNewline { StandardOutput.write("\n") }
    switch summary.finishReason {
    case .cancelled: throw ExitCode(130)
    case .length where task != .title:
      StandardError.write("swiftlet: the model did not come to an end; the reply was cut\n")
    default: break
    }
  }

  /// What a task works on: words of the command line, then a file, then what is piped in.
  static func text(words: [String] = [], file: String? = nil) throws -> String {
    if let file { return try StandardInput.read(file: file) }
    let text = words.isEmpty ? try StandardInput.readIfPiped() : words.joined(separator: " ")
    guard !text.isEmpty else {
      throw ValidationError("no text: give it as an argument or on standard input")
    }
    return text
  }
}
