import GGUF
import Tokenization

/// Who says a message.
public enum Role: String, Sendable, Codable, CaseIterable {
  case system, user, assistant
}

/// One message of a conversation.
public struct ChatMessage: Equatable, Sendable, Codable {
  public var role: Role
  public var content: String

  public init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }
}

/// Turns a conversation into a prompt in the form that a model was trained on.
///
/// What the template writes may become control tokens; what people and models said never does.
/// This version knows ChatML, which SmolLM2 uses.
public struct ChatTemplate: Sendable {
  /// What the template says first where a conversation has no system message.
  public let defaultSystemPrompt: String?

  /// - Parameter defaultSystemPrompt: nil where the template adds none.
  public init(chatMLWithDefaultSystemPrompt defaultSystemPrompt: String?) {
    self.defaultSystemPrompt = defaultSystemPrompt
  }

  /// Reads `tokenizer.chat_template`.
  ///
  /// - Throws: `PromptError.noTemplate` or `.unknownTemplate`: a plain completion still works.
  public init(_ file: GGUFFile) throws {
    let source = try MetadataReader(file).string("tokenizer.chat_template")
    guard let source, !source.isEmpty else { throw PromptError.noTemplate(file: file.name) }
    guard source.contains("<|im_start|>"), source.contains("<|im_end|>") else {
      throw PromptError.unknownTemplate(file: file.name)
    }
    defaultSystemPrompt = Self.defaultSystemPrompt(in: source)
  }

  /// The text between `<|im_start|>system` and `<|im_end|>` where the template writes it out.
  private static func defaultSystemPrompt(in source: String) -> String? {
    let opening = "<|im_start|>system"
    var rest = Substring(source)
    while let start = rest.firstRange(of: opening) {
      rest = rest[start.upperBound...]
      guard let end = rest.firstRange(of: "<|im_end|>") else { return nil }
      let text = rest[..<end.lowerBound]
      for newline in ["\\n", "\n"] where text.hasPrefix(newline) {
        let prompt = text.dropFirst(newline.count)
        if !prompt.contains(where: { "'{}\"".contains($0) }) { return String(prompt) }
      }
    }
    return nil
  }

  /// The prompt for `messages`, ending where the assistant's reply begins.
  public func render(_ messages: [ChatMessage], addsGenerationPrompt: Bool = true)
    -> [Tokenizer.Segment]
  {
    var segments: [Tokenizer.Segment] = []
    func say(_ role: Role, _ content: String) {
      segments.append(.init("<|im_start|>\(role.rawValue)\n", .parsed))
      segments.append(.init(content, .asText))
      segments.append(.init("<|im_end|>\n", .parsed))
    }
    if let defaultSystemPrompt, messages.first?.role != .system {
      say(.system, defaultSystemPrompt)
    }
    for message in messages { say(message.role, message.content) }
    if addsGenerationPrompt { segments.append(.init("<|im_start|>assistant\n", .parsed)) }
    return segments
  }
}

public enum PromptError: Error, Equatable, Sendable {
  case noTemplate(file: String)
  case unknownTemplate(file: String)
}

extension PromptError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noTemplate(let file):
      "\(file): tokenizer.chat_template: missing; --raw runs the prompt as it is"
    case .unknownTemplate(let file):
      "\(file): tokenizer.chat_template: not in the ChatML form, which is the one supported; "
        + "--raw runs the prompt as it is"
    }
  }
}
