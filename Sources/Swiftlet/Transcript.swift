/// What was said in a session, in order: the instructions, prompts and responses.
///
/// Shaped like FoundationModels' `Transcript`, and a collection of its entries.
public struct Transcript: Equatable, Sendable, Codable {
  /// One entry.
  public enum Entry: Equatable, Sendable, Codable, Identifiable {
    /// How the model shall behave.
    case instructions(Instructions)
    /// What the user said.
    case prompt(Prompt)
    /// What the model said.
    case response(Response)

    public var id: String {
      switch self {
      case .instructions(let entry): entry.id
      case .prompt(let entry): entry.id
      case .response(let entry): entry.id
      }
    }

    /// The text that was said.
    public var text: String {
      switch self {
      case .instructions(let entry): entry.segments.text
      case .prompt(let entry): entry.segments.text
      case .response(let entry): entry.segments.text
      }
    }
  }

  /// A part of an entry.
  public enum Segment: Equatable, Sendable, Codable, Identifiable {
    /// Text.
    case text(TextSegment)

    public var id: String {
      switch self {
      case .text(let segment): segment.id
      }
    }
  }

  /// Text in an entry.
  public struct TextSegment: Equatable, Sendable, Codable, Identifiable {
    public var id: String
    /// The text.
    public var content: String

    /// A segment of text.
    public init(id: String = Transcript.newID(), content: String) {
      self.id = id
      self.content = content
    }
  }

  /// How the model shall behave: the system message.
  public struct Instructions: Equatable, Sendable, Codable, Identifiable {
    public var id: String
    /// The text, in parts.
    public var segments: [Segment]

    /// Instructions of `segments`.
    public init(id: String = Transcript.newID(), segments: [Segment]) {
      self.id = id
      self.segments = segments
    }
  }

  /// What the user said.
  public struct Prompt: Equatable, Sendable, Codable, Identifiable {
    public var id: String
    /// The text, in parts.
    public var segments: [Segment]
    /// What the response has to look like; nil for text.
    public var responseFormat: ResponseFormat?

    /// A prompt of `segments`.
    public init(
      id: String = Transcript.newID(), segments: [Segment], responseFormat: ResponseFormat? = nil
    ) {
      self.id = id
      self.segments = segments
      self.responseFormat = responseFormat
    }
  }

  /// What a response has to look like.
  public struct ResponseFormat: Equatable, Sendable, Codable {
    /// A JSON Schema.
    public var schema: String
    /// Whether the model is shown the schema, after the prompt.
    public var isInPrompt: Bool

    /// The format that `schema`, a JSON Schema, describes.
    public init(schema: String, isInPrompt: Bool) {
      self.schema = schema
      self.isInPrompt = isInPrompt
    }
  }

  /// What the model said.
  public struct Response: Equatable, Sendable, Codable, Identifiable {
    public var id: String
    /// The text, in parts.
    public var segments: [Segment]

    /// A response of `segments`.
    public init(id: String = Transcript.newID(), segments: [Segment]) {
      self.id = id
      self.segments = segments
    }
  }

  /// What was said, in order.
  public private(set) var entries: [Entry]

  /// A transcript of `entries`.
  public init(entries: some Sequence<Entry> = []) { self.entries = Array(entries) }

  /// What `messages` say.
  public init(messages: [ChatMessage]) {
    entries = messages.map { message in
      switch message.role {
      case .system: .instructions(message.content)
      case .user: .prompt(message.content)
      case .assistant: .response(message.content)
      }
    }
  }

  /// A name that no other entry has.
  public static func newID() -> String {
    var random = SystemRandomNumberGenerator()
    return String(random.next(), radix: 36) + String(random.next(), radix: 36)
  }

  mutating func append(_ entry: Entry) { entries.append(entry) }

  /// Removes the oldest prompt and what followed it up to the next one.
  ///
  /// - Returns: whether there was one, other than the last prompt.
  mutating func removeOldestTurn() -> Bool {
    let prompts = entries.indices.filter {
      if case .prompt = entries[$0] { true } else { false }
    }
    guard prompts.count > 1 else { return false }
    entries.removeSubrange(prompts[0]..<prompts[1])
    return true
  }

  /// In the form that chat templates take.
  public var messages: [ChatMessage] {
    entries.map { entry in
      switch entry {
      case .instructions: ChatMessage(.system, entry.text)
      case .prompt(let prompt): ChatMessage(.user, prompt.message)
      case .response: ChatMessage(.assistant, entry.text)
      }
    }
  }
}

extension Transcript.Prompt {
  /// The text, and the schema where the model is shown it.
  fileprivate var message: String {
    guard let responseFormat, responseFormat.isInPrompt else { return segments.text }
    return segments.text + "\n\nRespond with JSON that is valid under this schema:\n"
      + responseFormat.schema
  }
}

extension Transcript: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count }
  public subscript(_ place: Int) -> Entry { entries[place] }
}

extension Transcript.Entry {
  /// Entries of one text.
  public static func instructions(_ text: String) -> Self {
    .instructions(Transcript.Instructions(segments: .init(text)))
  }
  /// A prompt of one text.
  public static func prompt(_ text: String) -> Self {
    .prompt(Transcript.Prompt(segments: .init(text)))
  }
  /// A response of one text.
  public static func response(_ text: String) -> Self {
    .response(Transcript.Response(segments: .init(text)))
  }
}

extension [Transcript.Segment] {
  fileprivate init(_ text: String) { self = [.text(Transcript.TextSegment(content: text))] }

  fileprivate var text: String {
    map { segment in
      switch segment {
      case .text(let text): text.content
      }
    }.joined()
  }
}
