import GGUF
import Jinja
import OrderedJSON
import Tokenization

/// Who says a message.
public enum Role: String, Sendable, Codable, CaseIterable {
  /// Who sets the rules, who asks, who answers.
  case system, user, assistant
}

/// One message of a conversation.
public struct ChatMessage: Equatable, Sendable, Codable {
  /// Who says it.
  public var role: Role
  /// What is said.
  public var content: String

  /// What `role` says.
  public init(_ role: Role, _ content: String) {
    self.role = role
    self.content = content
  }
}

/// Turns a conversation into a prompt in the form that a model was trained on, by the model's own Jinja
/// template.
///
/// What the template writes may become control tokens; what people, tools and models said never does,
/// wherever the template puts it: texts remember who wrote them (`Jinja.Text`).
public struct ChatTemplate: Sendable {
  /// File and field that the template is from, for errors.
  private let name: String
  private let template: Template
  /// `bos_token` and `eos_token`.
  private let tokens: [String: String]

  /// - Parameters:
  ///   - source: a template in Jinja, as models carry it.
  ///   - name: what stands for it in errors.
  ///   - tokens: texts of tokens by the name that templates know: `bos_token`, `eos_token`.
  /// - Throws: `PromptError.template` with the line.
  public init(source: String, name: String, tokens: [String: String] = [:]) throws(PromptError) {
    self.name = name
    self.tokens = tokens
    do {
      template = try Template(source)
    } catch { throw .template(name: name, error) }
  }

  /// Reads `tokenizer.chat_template`.
  ///
  /// - Throws: `PromptError.noTemplate` or `.template`: a plain completion still works. `GGUFError` where
  ///   the metadata are damaged.
  public init(_ file: GGUFFile) throws {
    let key = "tokenizer.chat_template"
    let metadata = MetadataReader(file)
    guard let source = try metadata.string(key), !source.allSatisfy(\.isWhitespace) else {
      throw PromptError.noTemplate(file: file.name)
    }
    var tokens: [String: String] = [:]
    if let texts = try metadata.strings("tokenizer.ggml.tokens"), texts.count > 0 {
      for name in ["bos", "eos"] {
        let id = try metadata.integer(
          "tokenizer.ggml.\(name)_token_id", in: 0...texts.count - 1)
        tokens["\(name)_token"] = id.flatMap { texts.string(at: $0) }
      }
    }
    try self.init(source: source, name: "\(file.name): \(key)", tokens: tokens)
  }

  /// The prompt for `messages`, ending where the assistant's reply begins.
  ///
  /// - Throws: `PromptError.template` where the template refuses the conversation.
  public func render(_ messages: [ChatMessage], addsGenerationPrompt: Bool = true)
    throws(PromptError) -> [Tokenizer.Segment]
  {
    let values = messages.map { message in
      Self.dictionary([
        ("role", Value(given: message.role.rawValue)), ("content", Value(given: message.content)),
      ])
    }
    return try render(values, [:], addsGenerationPrompt)
  }

  /// As `render`, for messages in OpenAI's form: an array of objects with a `role`, a `content`, and
  /// whatever else the template knows.
  ///
  /// - Parameter variables: what else the template may use, such as `tools`. Only those whose name ends
  ///   with `_token` may become control tokens.
  /// - Throws: `PromptError.messages` where the JSON is no such array or a role is not one of
  ///   `messageRoles`; `.template`.
  package func render(
    json messages: JSON, variables: [String: JSON] = [:], addsGenerationPrompt: Bool = true
  ) throws(PromptError) -> [Tokenizer.Segment] {
    guard case .array(let items) = messages else {
      throw .messages("expected an array of messages")
    }
    for (index, item) in items.enumerated() {
      guard case .object(let fields) = item else {
        throw .messages("message \(index + 1) is no object")
      }
      guard case .string(let role)? = fields.first(where: { $0.key == "role" })?.value else {
        throw .messages("message \(index + 1) has no role")
      }
      guard Self.messageRoles.contains(role) else {
        throw .messages(
          "message \(index + 1) has the role \"\(printable(role))\", allowed: "
            + Self.messageRoles.joined(separator: ", "))
      }
    }
    return try render(items.map { Value($0) }, variables, addsGenerationPrompt)
  }

  /// Roles that a message may have.
  public static let messageRoles = ["system", "user", "assistant", "tool", "developer"]

  private func render(
    _ messages: [Value], _ variables: [String: JSON], _ addsGenerationPrompt: Bool
  ) throws(PromptError) -> [Tokenizer.Segment] {
    var values: [String: Value] = [
      "messages": .list(messages), "add_generation_prompt": .bool(addsGenerationPrompt),
      "tools": .none, "documents": .none,
    ]
    for (name, text) in tokens { values[name] = .text(Text(text)) }
    for (name, value) in variables {
      if name.hasSuffix("_token"), case .string(let text) = value {
        values[name] = .text(Text(text))
      } else {
        values[name] = Value(value)
      }
    }
    do {
      return try template.render(values).runs.map { run in
        Tokenizer.Segment(run.text, run.isGiven ? .asText : .parsed)
      }
    } catch { throw .template(name: name, error) }
  }

  private static func dictionary(_ items: [(String, Value)]) -> Value {
    var dictionary = ValueDictionary()
    for (key, value) in items { dictionary[.text(Text(key))] = value }
    return .dictionary(dictionary)
  }
}

/// Why there is no prompt.
public enum PromptError: Error, Equatable, Sendable {
  /// The file has no chat template.
  case noTemplate(file: String)
  /// The template cannot be read, or gives no text for this conversation.
  case template(name: String, TemplateError)
  /// The messages are not in OpenAI's form.
  case messages(String)
}

extension PromptError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noTemplate(let file):
      "\(file): tokenizer.chat_template: missing; --raw runs the prompt as it is"
    case .template(let name, let error) where error.kind == .raised:
      "\(name): the template refuses this conversation: \(error.message)"
    case .template(let name, let error):
      "\(name): \(error); --raw runs the prompt as it is"
    case .messages(let fault): "messages: \(fault)"
    }
  }
}
