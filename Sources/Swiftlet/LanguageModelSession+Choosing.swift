#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What was chosen among given texts, and how likely each was.
public struct Choice: Sendable, Equatable {
  /// The likeliest.
  public let text: String
  /// Of each text in the order in which they were given; together 1.
  public let probabilities: [Double]
  /// The natural logarithm of each text's probability as a whole response.
  public let logProbabilities: [Double]

  init(_ texts: [String], _ logProbabilities: [Double]) {
    self.logProbabilities = logProbabilities
    let peak = logProbabilities.max() ?? 0
    let weights = logProbabilities.map { exp($0 - peak) }
    let total = weights.reduce(0, +)
    probabilities = weights.map { $0 / total }
    text = zip(texts, logProbabilities).max { $0.1 < $1.1 }?.0 ?? ""
  }
}

extension LanguageModelSession {
  /// The likeliest response to `prompt` among `choices`, by what the model computes for each of them rather
  /// than by what it happens to generate. Long texts are less likely than short ones. The transcript stays as
  /// it is.
  ///
  /// ```swift
  /// let choice = try await session.choose(from: ["yes", "no"], for: "Is Paris in France?")
  /// ```
  ///
  /// - Parameters:
  ///   - choices: at least one, none empty.
  ///   - prompt: what is asked.
  /// - Throws: `GenerationError.exceededContextWindowSize`, `.concurrentRequests`, `.nothingToChoose`;
  ///   `CancellationError`; as `respond(to:)`.
  public func choose(from choices: [String], for prompt: String) async throws -> Choice {
    guard !choices.isEmpty, choices.allSatisfy({ !$0.isEmpty }) else {
      throw GenerationError.nothingToChoose
    }
    let model = model
    let cancellation = CancellationFlag()
    return try await withTaskCancellationHandler {
      try await withSequence(creates: true) { transcript, sequence in
        guard let sequence else { throw CancellationError() }
        var said = transcript
        said.append(.prompt(prompt))
        let ids = try model.promptTokens(said.messages)
        // How the template goes on after a response: what ends it.
        let end = model.tokenizer.endOfSequence.map { [$0] } ?? []
        let replies = choices.map { model.tokenizer.encode($0) + end }
        let size = ids.count + (replies.map(\.count).max() ?? 0)
        guard size <= model.contextLength, replies.allSatisfy({ !$0.isEmpty }) else {
          throw GenerationError.exceededContextWindowSize(
            .init(tokens: size, contextSize: model.contextLength))
        }
        let scorer = ReplyScorer(sequence, batchSize: min(model.options.batchSize, size))
        return Choice(
          choices,
          try scorer.logProbabilities(of: replies, after: ids) { cancellation.isSet })
      }
    } onCancel: {
      cancellation.set()
    }
  }
}

extension LanguageModel {
  /// Which of `labels` fits `text` best, by the probability of each label as the response.
  ///
  /// - Parameters:
  ///   - text: what is looked at.
  ///   - labels: at least one, none empty: words that the model knows.
  ///   - question: what is asked about the text; nil names the labels.
  /// - Throws: as `LanguageModelSession.choose(from:for:)`.
  public func classify(_ text: String, as labels: [String], question: String? = nil) async throws
    -> Choice
  {
    let asked = question ?? "Classify the text as one of: \(labels.joined(separator: ", "))."
    let session = LanguageModelSession(
      model: self, instructions: "\(asked) Answer with the label alone.")
    return try await session.choose(from: labels, for: text)
  }
}
