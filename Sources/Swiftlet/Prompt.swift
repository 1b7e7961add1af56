/// What is asked. Shaped like FoundationModels' type of the same name; a `String` does as well everywhere.
public struct Prompt: Equatable, Sendable {
  /// The text of it.
  public let text: String

  init(text: String) { self.text = text }

  /// The prompt that `content` makes.
  public init(_ content: some PromptRepresentable) { self = content.promptRepresentation }

  /// A prompt of lines.
  public init(@PromptBuilder _ content: () throws -> Prompt) rethrows { self = try content() }
}

/// How the model shall behave. Shaped like FoundationModels' type of the same name; a `String` does as well
/// everywhere.
public struct Instructions: Equatable, Sendable {
  /// The text of them.
  public let text: String

  /// The instructions that `content` makes.
  public init(_ content: some PromptRepresentable) { text = content.promptRepresentation.text }

  /// Instructions of lines.
  public init(@PromptBuilder _ content: () throws -> Prompt) rethrows { text = try content().text }
}

/// What can be part of a prompt.
public protocol PromptRepresentable {
  /// The prompt that it makes.
  var promptRepresentation: Prompt { get }
}

extension Prompt: PromptRepresentable {
  /// The prompt itself.
  public var promptRepresentation: Prompt { self }
}

extension String {
  /// The text itself.
  public var promptRepresentation: Prompt { Prompt(text: self) }
}

extension ConvertibleToGeneratedContent {
  /// The value as JSON.
  public var promptRepresentation: Prompt { Prompt(text: generatedContent.jsonString) }
}

extension Optional: PromptRepresentable where Wrapped: ConvertibleToGeneratedContent {
  /// Nothing where it is nil.
  public var promptRepresentation: Prompt { self?.promptRepresentation ?? Prompt(text: "") }
}

extension Array: PromptRepresentable where Element: PromptRepresentable {
  /// A line for each element.
  public var promptRepresentation: Prompt {
    Prompt(text: map(\.promptRepresentation.text).joined(separator: "\n"))
  }
}

/// Makes a prompt of parts, each on a line of its own.
@resultBuilder public enum PromptBuilder {
  /// The parts after each other; those without text leave no line.
  public static func buildBlock(_ parts: any PromptRepresentable...) -> Prompt { join(parts) }
  /// The parts of a loop.
  public static func buildArray(_ parts: [Prompt]) -> Prompt { join(parts) }
  /// The part that a condition chose.
  public static func buildEither(first part: Prompt) -> Prompt { part }
  /// The part that a condition chose.
  public static func buildEither(second part: Prompt) -> Prompt { part }
  /// A part that may be missing.
  public static func buildOptional(_ part: Prompt?) -> Prompt { part ?? Prompt(text: "") }
  /// A part that is not available everywhere.
  public static func buildLimitedAvailability(_ part: Prompt) -> Prompt { part }

  private static func join(_ parts: [any PromptRepresentable]) -> Prompt {
    Prompt(
      text: parts.map(\.promptRepresentation.text).filter { !$0.isEmpty }
        .joined(separator: "\n"))
  }
}
