import ArgumentParser

struct TitleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "title", abstract: "Write a title for a text.",
    discussion: """
      Example:
        swiftlet title report.txt
      """)

  @OptionGroup var task: TaskArguments

  @Argument(help: "A text file (default: standard input).")
  var file: String?

  func run() throws {
    try reportingErrors { try task.run(.title, on: try TaskArguments.text(file: file)) }
  }
}
