import ArgumentParser

struct SummarizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summarize", abstract: "Summarize a text in up to three sentences.",
    discussion: """
      A long text is cut between sentences; its parts are summarized, and then their summaries.

      Example:
        swiftlet summarize report.txt
      """)

  @OptionGroup var task: TaskArguments

  @Argument(help: "A text file (default: standard input).")
  var file: String?

  func run() throws {
    try reportingErrors { try task.run(.summarize, on: try TaskArguments.text(file: file)) }
  }
}
