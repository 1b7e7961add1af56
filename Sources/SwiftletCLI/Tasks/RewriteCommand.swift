import ArgumentParser
import Swiftlet

struct RewriteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewrite", abstract: "Say a text in another way.",
    discussion: """
      Example:
        swiftlet rewrite --style professional "cant come tmrw, kid is sick"
      """)

  @OptionGroup var task: TaskArguments

  @Option(help: "concise, friendly or professional.")
  var style = TextTask.RewriteStyle.concise

  @Argument(help: "The text (default: standard input).")
  var text: [String] = []

  func run() throws {
    try reportingErrors { try task.run(.rewrite(style), on: try TaskArguments.text(words: text)) }
  }
}

extension TextTask.RewriteStyle: ExpressibleByArgument {}
