import ArgumentParser
import Swiftlet

struct TranslateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "translate", abstract: "Translate a text.",
    discussion: """
      SmolLM2 was trained on English: what it makes of other languages is rarely right. Another model
      (-m) may do better.

      Example:
        swiftlet translate --to French "Where is the train station?"
      """)

  @OptionGroup var task: TaskArguments

  @Option(help: "The language to translate to, by its English name.")
  var to: String

  @Argument(help: "The text (default: standard input).")
  var text: [String] = []

  func validate() throws {
    guard !to.isEmpty, to.count <= 40, to.allSatisfy({ $0.isLetter || " -()".contains($0) }) else {
      throw ValidationError("--to \(printable(to)): allowed: the name of a language")
    }
  }

  func run() throws {
    try reportingErrors {
      try task.run(.translate(to: to), on: try TaskArguments.text(words: text))
    }
  }
}
