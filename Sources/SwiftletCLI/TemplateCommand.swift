import ArgumentParser
import OrderedJSON
import Swiftlet

struct TemplateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "template",
    abstract: "Show the prompt that a chat template makes of messages.",
    discussion: """
      Messages are a JSON array of objects with "role" and "content", as OpenAI's API takes them.

      Examples:
        echo '[{"role":"user","content":"Hello"}]' | swiftlet template -m model.gguf
        swiftlet template --file chat.jinja --messages chat.json --set 'bos_token="<s>"'
      """)

  @OptionGroup var model: ModelArgument

  @Option(help: "A Jinja template instead of the model's.")
  var file: String?

  @Option(help: "A file of messages (default: standard input).")
  var messages: String?

  @Option(
    help: ArgumentHelp(
      "A variable of the template; may be given more than once.", valueName: "NAME=JSON"))
  var set: [String] = []

  @Flag(help: "Leave out the beginning of the assistant's reply.")
  var noGenerationPrompt = false

  @Flag(help: "Print a JSON object: the prompt, its parts, and, where a model is given, token ids.")
  var json = false

  func run() throws {
    try reportingErrors {
      // A template of its own needs no model.
      let gguf =
        file == nil || model.model != nil
        ? try GGUFFile(path: try model.location().fetch()) : nil
      let template: ChatTemplate
      if let file {
        template = try ChatTemplate(source: try StandardInput.read(file: file), name: file)
      } else if let gguf {
        template = try ChatTemplate(gguf)
      } else {
        return
      }
      let text = try messages.map { try StandardInput.read(file: $0) } ?? StandardInput.read()
      let segments = try template.render(
        json: try parse(text, messages ?? "standard input"), variables: try variables(),
        addsGenerationPrompt: !noGenerationPrompt)
      if json {
        StandardOutput.writeJSON(
          Report(
            prompt: segments.map(\.text).joined(),
            parts: segments.map { .init(text: $0.text, control: $0.controlTokens == .parsed) },
            ids: try gguf.map { try Tokenizer($0).encode(segments) }))
      } else {
        StandardOutput.write(segments.map(\.text).joined())
      }
    }
  }

  private struct Report: Encodable {
    struct Part: Encodable {
      let text: String
      /// Whether the template wrote it, so that it may hold control tokens.
      let control: Bool
    }
    let prompt: String
    let parts: [Part]
    let ids: [Int]?
  }

  private func parse(_ text: String, _ source: String) throws -> JSON {
    do {
      return try JSON(parsing: Array(text.utf8))
    } catch {
      throw CommandFailure(
        "\(source): offset \(error.position): this is not JSON: expected \(error.expected)")
    }
  }

  private func variables() throws -> [String: JSON] {
    var variables: [String: JSON] = [:]
    for setting in set {
      guard let equals = setting.firstIndex(of: "="), equals > setting.startIndex else {
        throw ValidationError("--set \(setting): expected NAME=JSON")
      }
      let name = String(setting[..<equals])
      variables[name] = try parse(
        String(setting[setting.index(after: equals)...]), "--set \(name)")
    }
    return variables
  }
}
