import ArgumentParser
import Swiftlet

struct ChatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat",
    abstract: "Talk with a model, turn by turn.",
    discussion: """
      Ctrl-C stops a reply, Ctrl-D leaves. Several lines: paste them, end a line with a backslash, or put
      them between lines of \"""; /help names the commands. From a pipe each line is a message.

      Examples:
        swiftlet chat
        swiftlet chat -m model.gguf --system "You are terse." --load talk.json
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var compute: ComputeArguments
  @OptionGroup var sampling: SamplingArguments

  @Option(help: "A system message instead of the model's own.")
  var system: String?

  @Option(name: [.customShort("n"), .long], help: "Tokens of a reply at most.")
  var maxTokens: Int?

  @Option(
    name: [.short, .long],
    help: "Positions of the whole conversation; beyond them the oldest turns are left out.")
  var context: Int?

  @Option(help: "Text that ends a reply; may be given more than once.")
  var stop: [String] = []

  @Option(help: "Go on from a conversation that /save wrote.")
  var load: String?

  @Flag(help: "Neither read nor write the history of lines.")
  var noHistory = false

  func validate() throws {
    if let maxTokens, maxTokens < 1 {
      throw ValidationError("--max-tokens \(maxTokens): allowed: 1 and more")
    }
    if let context, !(1...1 << 24 ~= context) {
      throw ValidationError("--context \(context): allowed: 1 to \(1 << 24)")
    }
  }

  func run() throws {
    try reportingErrors {
      let location = try model.location()
      let language = try LanguageModel(
        path: try location.fetch(),
        options: try compute.loadingOptions(location.settings, contextLength: context))
      var options = DecodingOptions()
      options.sampling = sampling.options
      options.maximumResponseTokens = maxTokens
      options.stopStrings = stop
      let conversation = try Conversation(
        language, from: load, instructions: system, options: options)
      try talk(conversation, LineEditor(historyPath: noHistory ? nil : Self.historyPath))
    }
  }

  private func talk(_ conversation: Conversation, _ editor: LineEditor) throws {
    let isTerminal = isatty(STDIN_FILENO) == 1
    if isTerminal { StandardError.write("Ctrl-C stops a reply, Ctrl-D leaves, /help helps.\n") }
    while true {
      Interruption.reset()
      if editor.isEditing { Interruption.watchTyping() } else { Interruption.unwatch() }
      let input = editor.read(prompt: ">>> ")
      Interruption.reset()
      Interruption.watch()
      switch input {
      case .end:
        if isTerminal { StandardOutput.write("\n") }
        return
      case .interrupted:
        guard isTerminal else { throw ExitCode(130) }
        StandardError.write("\n(Ctrl-D leaves)\n")
      case .text(let text) where text.allSatisfy(\.isWhitespace): continue
      case .text(let text):
        editor.remember(text)
        do {
          if text.hasPrefix("/") {
            guard try ChatInstruction(text).perform(on: conversation) else { return }
          } else {
            try conversation.say(text)
          }
        } catch  where isTerminal {
          // A slip of the hand does not end a conversation.
          StandardError.write("\(printable("\(error)", limit: .max))\n")
        }
      }
    }
  }

  private static var historyPath: String? {
    let state =
      environment("XDG_STATE_HOME") ?? environment("HOME").map { $0 + "/.local/state" }
    return state.map { $0 + "/swiftlet/chat_history" }
  }
}

/// A line that begins with a slash.
private struct ChatInstruction {
  private let name: String
  private let argument: String

  init(_ text: String) {
    let parts = text.split(separator: " ", maxSplits: 1)
    name = parts.first.map { String($0.dropFirst()) } ?? ""
    let rest = parts.count > 1 ? parts[1] : ""
    let end = rest.lastIndex { !$0.isWhitespace }.map(rest.index(after:)) ?? rest.startIndex
    argument = String(rest[..<end].drop(while: \.isWhitespace))
  }

  private static let help = """
    /system TEXT   replace the system message; without a text, go back to the model's own
    /save FILE     write the conversation as JSON, in OpenAI's form
    /load FILE     go on from such a file
    /reset         forget the conversation, not the system message
    /stats         tokens and speed of the last reply, and how full the context is
    /exit          leave, as Ctrl-D

    """

  /// - Returns: whether the conversation goes on.
  func perform(on conversation: Conversation) throws -> Bool {
    switch name {
    case "help", "?": StandardError.write(Self.help)
    case "system": conversation.setInstructions(argument.isEmpty ? nil : argument)
    case "save":
      try conversation.save(try file())
      StandardError.write("saved\n")
    case "load":
      try conversation.load(try file())
      StandardError.write("\(conversation.transcript.count) messages\n")
    case "reset": conversation.reset()
    case "stats": StandardError.write(conversation.statistics)
    case "exit", "bye", "quit": return false
    default: throw CommandFailure("/\(name): no such command; /help names them")
    }
    return true
  }

  private func file() throws -> String {
    guard !argument.isEmpty else { throw CommandFailure("/\(name) wants the name of a file") }
    return argument == "~" || argument.hasPrefix("~/")
      ? FileManager.default.homeDirectoryForCurrentUser.path + argument.dropFirst() : argument
  }
}
