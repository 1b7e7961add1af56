import ArgumentParser

struct SuggestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "suggest", abstract: "Suggest questions that a reader of a text may ask next.",
    discussion: """
      Example:
        swiftlet suggest report.txt
      """)

  @OptionGroup var task: TaskArguments

  @Argument(help: "A text file (default: standard input).")
  var file: String?

  func run() throws {
    try reportingErrors { try task.run(.suggestions, on: try TaskArguments.text(file: file)) }
  }
}
