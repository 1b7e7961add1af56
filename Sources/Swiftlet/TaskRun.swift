extension LanguageModel {
  /// What a task took.
  public struct TaskSummary: Sendable, Equatable {
    /// Replies of the model: one for a short text, more for one that was done in parts.
    public var replies = 0
    /// Tokens of all prompts.
    public var promptTokens = 0
    /// Tokens of all replies.
    public var responseTokens = 0
    /// Of the last reply; `.length` where any was cut.
    public var finishReason = FinishReason.stop
  }

  /// Does `task` on `text`, in parts where it is long.
  ///
  /// - Parameters:
  ///   - task: what is done.
  ///   - text: what it is done with.
  ///   - sampling: nil is the task's own.
  ///   - isCancelled: asked before each token.
  ///   - progress: told before each part: its number from 1, and how many there are at this level.
  ///   - body: called with each bit of the result as it is made.
  /// - Throws: `GenerationError.emptyPrompt` for a text of white space, `.promptTooLong` where the
  ///   context leaves no room for any text; as `generate`. What `body` was given is always the model's.
  public func perform(
    _ task: TextTask, on text: String, sampling: SamplingOptions? = nil,
    isCancelled: @escaping () -> Bool = { false },
    progress: @escaping (Int, Int) -> Void = { _, _ in },
    _ body: (String) throws -> Void
  ) throws -> TaskSummary {
    guard text.contains(where: { !$0.isWhitespace }) else { throw GenerationError.emptyPrompt }
    let run = TaskRun(
      language: self, generator: try makeGenerator(), sampling: sampling ?? task.sampling,
      isCancelled: isCancelled, progress: progress)
    switch task.merging {
    case .inOrder: try run.inOrder(task, text, body)
    case .bySummaries: try run.bySummaries(task, text, body)
    }
    return run.summary
  }
}

extension TextTask {
  /// The likeliest tokens, or nearly. The penalty on repetition is a compromise: with none very small
  /// models run in circles, with 1.1 they invent names rather than repeat those of the text.
  public var sampling: SamplingOptions {
    var options = SamplingOptions()
    options.temperature = self == .title ? 0 : 0.1
    options.topP = 0.9
    options.repeatPenalty = self == .title ? 1 : 1.05
    return options
  }
}

/// One task on one text.
private final class TaskRun {
  private let language: LanguageModel
  private let generator: TextGenerator
  private let sampling: SamplingOptions
  private let isCancelled: () -> Bool
  private let progress: (Int, Int) -> Void
  private(set) var summary = LanguageModel.TaskSummary()

  init(
    language: LanguageModel, generator: TextGenerator, sampling: SamplingOptions,
    isCancelled: @escaping () -> Bool, progress: @escaping (Int, Int) -> Void
  ) {
    self.language = language
    self.generator = generator
    self.sampling = sampling
    self.isCancelled = isCancelled
    self.progress = progress
  }

  private var isDone: Bool { summary.finishReason == .cancelled }

  /// Each part's result, with what stood between the parts.
  func inOrder(_ task: TextTask, _ text: String, _ body: (String) throws -> Void) throws {
    let parts = try parts(task, text, joinsParagraphs: false)
    if !parts.beginning.isEmpty { try body(parts.beginning) }
    for (index, part) in parts.parts.enumerated() {
      progress(index + 1, parts.parts.count)
      try reply(task, part.text, body)
      if isDone { return }
      try body(part.separator)
    }
  }

  /// The task on the text, or where that is too long on summaries of its parts.
  func bySummaries(_ task: TextTask, _ text: String, _ body: (String) throws -> Void) throws {
    var text = text
    while true {
      let parts = try parts(task, text, joinsParagraphs: true).parts
      guard parts.count > 1 else { return try reply(task, parts.first?.text ?? text, body) }
      var shorter: [String] = []
      for (index, part) in parts.enumerated() {
        progress(index + 1, parts.count)
        var result = ""
        try reply(.summarize, part.text) { result += $0 }
        if isDone { return }
        shorter.append(result)
      }
      let joined = shorter.joined(separator: "\n\n")
      // A model that does not get to the point would never be done.
      guard joined.utf8.count < text.utf8.count else {
        return try reply(task, parts[0].text, body)
      }
      text = joined
    }
  }

  private func parts(_ task: TextTask, _ text: String, joinsParagraphs: Bool) throws -> TextParts {
    let frame = try language.promptTokens(task.messages(for: "")).count
    let room = language.contextLength - frame
    // Prompt and reply share the room; a part is at most half of it.
    let limit = min(task.longestPart, room / 2)
    guard limit >= 32 else {
      throw GenerationError.promptTooLong(tokens: frame, context: language.contextLength)
    }
    return TextParts(text, limit: limit, joinsParagraphs: joinsParagraphs) {
      language.tokenizer.encode($0).count
    }
  }

  private func reply(
    _ task: TextTask, _ text: String, _ body: (String) throws -> Void
  ) throws {
    let prompt = try language.promptTokens(task.messages(for: text))
    var options = DecodingOptions()
    options.sampling = sampling
    options.stopStrings = task.stopStrings
    options.maximumResponseTokens = task.longestReply(to: language.tokenizer.encode(text).count)
    let result = try generator.generate(prompt, options: options, isCancelled: isCancelled) {
      try body($0.text)
    }
    summary.replies += 1
    summary.promptTokens += result.promptTokens
    summary.responseTokens += result.responseTokens
    // One part that was cut makes the whole one that was cut.
    if summary.finishReason != .length || result.finishReason == .cancelled {
      summary.finishReason = result.finishReason
    }
  }
}
