/// Something that is often asked of a text, with a prompt that very small models follow: a short
/// instruction and a few examples to imitate, because they imitate better than they obey.
public enum TextTask: Hashable, Sendable {
  /// Into a language by its English name. SmolLM2 was trained on English: expect little of it.
  case translate(to: String)
  /// A few sentences that say what a text says.
  case summarize
  /// A headline of a few words.
  case title
  /// The same in another style.
  case rewrite(RewriteStyle)
  /// Questions that may be asked next, one a line.
  case suggestions

  /// How a text shall sound.
  public enum RewriteStyle: String, CaseIterable, Sendable {
    /// Shorter, warmer, more formal.
    case concise, friendly, professional
  }

  /// The conversation that asks for the task on `text`.
  public func messages(for text: String) -> [ChatMessage] {
    var messages = [ChatMessage(.system, instruction)]
    for example in examples {
      messages.append(ChatMessage(.user, example.text))
      messages.append(ChatMessage(.assistant, example.result))
    }
    messages.append(ChatMessage(.user, text))
    return messages
  }

  /// Of summaries and rewritings, the wording is that of the conversations which SmolLM2's makers
  /// trained it with (SmolTalk's smol-summarize and smol-rewrite, Ben Allal et al. 2025).
  private var instruction: String {
    switch self {
    case .translate(let language): "Translate the user's text to \(language)."
    case .summarize:
      "Provide a concise, objective summary of the input text in up to three sentences, focusing on "
        + "key actions and intentions without using second or third person pronouns."
    case .title: "Write a short title for the user's text."
    case .rewrite(let style):
      "You're an AI assistant for text re-writing. Rewrite the input text to make it more "
        + style.wish
    case .suggestions:
      "Write three short questions that a reader of the user's text may ask next."
    }
  }

  /// Tokens of the reply at most, for a text of `count` tokens.
  public func longestReply(to count: Int) -> Int {
    switch self {
    case .translate: 3 * count + 16
    case .summarize: 160
    case .title: 24
    case .rewrite: 2 * count + 64
    case .suggestions: 120
    }
  }

  /// Tokens of a part of the text that is done at once; longer texts are done in parts.
  public var longestPart: Int {
    switch self {
    // A sentence or two: more, and very small models lose the thread.
    case .translate: 60
    case .summarize, .title, .suggestions: 700
    case .rewrite: 250
    }
  }

  /// How the results of parts make the result of the whole.
  public enum Merging: Sendable {
    /// One after the other, with what stood between the parts.
    case inOrder
    /// Each part is summarized, and the task is done on the summaries.
    case bySummaries
  }

  /// How the results of a long text's parts become one.
  public var merging: Merging {
    switch self {
    case .translate, .rewrite: .inOrder
    case .summarize, .title, .suggestions: .bySummaries
    }
  }

  /// What a reply ends before: a title is one line, a summary one paragraph, questions are three.
  public var stopStrings: [String] {
    switch self {
    case .title: ["\n"]
    case .summarize: ["\n\n"]
    case .suggestions: ["\n4."]
    case .translate, .rewrite: []
    }
  }
}

extension TextTask.RewriteStyle {
  fileprivate var wish: String {
    switch self {
    case .concise: "concise while preserving its core meaning."
    case .friendly: "friendly and approachable while maintaining its main points."
    case .professional: "professional and formal while retaining its essential content."
    }
  }
}
