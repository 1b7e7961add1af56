import ArgumentParser
import Swiftlet

struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Show the tokens of a text.",
    discussion: """
      Example:
        swiftlet tokenize "Hello, world"
      """)

  @OptionGroup var model: ModelArgument

  @Argument(help: "The text (default: standard input).")
  var text: String?

  @Flag(help: "Print ids only, on one line.")
  var ids = false

  @Flag(help: "Print a JSON object {\"ids\": […], \"tokens\": […]}.")
  var json = false

  @Flag(help: "Read one JSON string a line, print one {\"ids\":[…]} a line.")
  var jsonl = false

  @Flag(help: "Treat texts like <|im_end|> as ordinary text.")
  var noSpecial = false

  func run() throws {
    try reportingErrors {
      let tokenizer = try Tokenizer(try GGUFFile(path: try model.location().fetch()))
      let control: Tokenizer.ControlTokens = noSpecial ? .asText : .parsed
      if jsonl { return try tokenizeLines(tokenizer, control) }
      let tokens = tokenizer.encode(try text ?? StandardInput.read(), controlTokens: control)
      if json {
        StandardOutput.writeJSON(
          Report(ids: tokens, tokens: tokens.map { tokenizer.decode([$0]) }))
      } else if ids {
        StandardOutput.write(tokens.map(String.init).joined(separator: " ") + "\n")
      } else {
        for id in tokens {
          StandardOutput.write("\(id)\t\(printable(tokenizer.decode([id])))\n")
        }
      }
    }
  }

  private func tokenizeLines(_ tokenizer: Tokenizer, _ control: Tokenizer.ControlTokens) throws {
    var number = 0
    while let line = readLine() {
      number += 1
      guard let text = try? JSONDecoder().decode(String.self, from: Data(line.utf8)) else {
        throw CommandFailure("standard input: line \(number) is not a JSON string")
      }
      let ids = tokenizer.encode(text, controlTokens: control)
      StandardOutput.write("{\"ids\":[\(ids.map(String.init).joined(separator: ","))]}\n")
    }
  }

  private struct Report: Encodable {
    let ids: [Int]
    let tokens: [String]
  }
}

struct DetokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detokenize",
    abstract: "Show the text of token ids (default: from standard input).",
    discussion: """
      Example:
        echo "19556 28 905" | swiftlet detokenize
      """)

  @OptionGroup var model: ModelArgument

  @Argument(help: "Token ids, separated by spaces or commas.")
  var ids: [String] = []

  func run() throws {
    try reportingErrors {
      let tokenizer = try Tokenizer(try GGUFFile(path: try model.location().fetch()))
      let words = try ids.isEmpty ? [StandardInput.read()] : ids
      let numbers = try parseTokenIDs(words.joined(separator: " "), below: tokenizer.vocabularySize)
      StandardOutput.write(tokenizer.decode(numbers) + "\n")
    }
  }
}

/// Numbers separated by white space or commas.
func parseTokenIDs(_ text: String, below limit: Int) throws -> [Int] {
  try text.split { $0.isWhitespace || $0 == "," }.map { word in
    guard let id = Int(word), (0..<limit).contains(id) else {
      throw CommandFailure(
        "\"\(printable(String(word)))\" is not a token id: allowed: 0 to \(limit - 1)")
    }
    return id
  }
}
