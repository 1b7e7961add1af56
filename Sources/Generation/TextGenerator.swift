import Compute
import Grammars
import Llama
import Tokenization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Options of one reply.
public struct DecodingOptions: Equatable, Sendable {
  /// How each token is chosen.
  public var sampling = SamplingOptions()
  /// Tokens of the reply at most; nil is as many as the context holds.
  public var maximumResponseTokens: Int?
  /// Texts that end the reply; they are not part of it.
  public var stopStrings: [String] = []
  /// How many of the likeliest tokens to report beside each chosen one; nil reports none.
  public var logProbabilityCount: Int?
  /// Whether to guess tokens from earlier text and check several at once. The text is the same either
  /// way; repetitive replies come faster.
  public var speculation = Speculation.automatic
  /// What the reply may be; it is a whole text of the grammar wherever there is room for one. nil is anything.
  public var grammar: TokenGrammar?
  /// Where the context is full: how many of the first tokens stay. Of what follows them the older half is
  /// forgotten, the rest is read again, and the reply goes on. nil ends the reply instead.
  public var contextShift: Int?
  /// Whether a reply ends that says the same over and over, word for word; with a grammar, as soon as
  /// the grammar lets it.
  public var stopsLoops = false

  /// Whether tokens are guessed.
  public enum Speculation: String, Sendable, CaseIterable {
    /// Guesses where earlier text goes on alike.
    case automatic = "auto"
    /// One token at a time.
    case off
  }

  /// Sampling by default, as many tokens as the context holds.
  public init() {}
}

/// Why a reply ended.
public enum FinishReason: String, Sendable, Codable {
  /// The model said that it is done.
  case stop
  /// A stop string came.
  case stopString = "stop_string"
  /// The token limit of the options.
  case length
  /// The context is full.
  case context
  /// The reply said the same over and over (`DecodingOptions.stopsLoops`).
  case repetition
  /// Whoever asked for it gave it up.
  case cancelled
}

/// One token of a reply.
public struct GeneratedToken: Sendable {
  /// A token that might have been chosen.
  public struct Alternative: Sendable, Equatable {
    /// The token's id.
    public let id: Int
    /// Natural logarithm of its probability before any sampling option.
    public let logProbability: Float
  }

  /// nil for text that had been held back at the end of a reply: its tokens were reported before.
  public let id: Int?
  /// Text that is now safe to show; empty in the middle of a character or a possible stop string.
  public let text: String
  /// nil unless asked for.
  public let logProbability: Float?
  /// The likeliest tokens, best first; empty unless asked for.
  public let likeliest: [Alternative]
}

/// How a reply went.
public struct GenerationSummary: Sendable {
  /// Why the reply ended.
  public let finishReason: FinishReason
  /// Whether the reply is a whole text of its grammar; true without one.
  public let isWhole: Bool
  /// Tokens of the prompt.
  public let promptTokens: Int
  /// Tokens of the prompt that were in the cache already.
  public let reusedTokens: Int
  /// Tokens of the reply.
  public let responseTokens: Int
  /// Tokens that were guessed from earlier text, and how many of them were right.
  public let guessedTokens: Int
  /// Guesses that the model would have chosen itself.
  public let rightGuesses: Int
  /// Seconds from the start of the prompt to the first token.
  public let promptSeconds: Double
  /// Seconds from the first token to the end.
  public let responseSeconds: Double
}

/// Why a reply cannot be made.
public enum GenerationError: Error, Equatable, Sendable {
  /// The prompt alone does not fit.
  case promptTooLong(tokens: Int, context: Int)
  /// The prompt has no tokens.
  case emptyPrompt
  /// A token id that the vocabulary does not have.
  case unknownToken(id: Int, vocabulary: Int)
  /// The model computed NaN or infinity.
  case notFinite(position: Int)
}

extension GenerationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .promptTooLong(let tokens, let context):
      "the prompt has \(tokens) tokens and the context holds \(context)"
    case .emptyPrompt: "the prompt is empty"
    case .unknownToken(let id, let vocabulary):
      "token id \(id) is outside the vocabulary, 0 to \(vocabulary - 1)"
    case .notFinite(let position):
      "the model computed a NaN or infinite logit at position \(position)"
    }
  }
}

/// Continues token sequences with a model: prompt in batches, then token by token.
///
/// Holds one sequence's cache, and what a prompt shares with the sequence before it is not computed
/// again. Serves one caller at a time.
public final class TextGenerator {
  /// The weights.
  public let model: LlamaModel
  /// Makes text of tokens.
  public let tokenizer: Tokenizer
  /// Positions of prompt and reply together.
  public let contextLength: Int
  private let forward: ForwardPass
  private let sequence: CachedSequence

  /// - Parameters:
  ///   - contextLength: positions of prompt and reply together; at most what the model was trained
  ///     for.
  ///   - batchSize: prompt tokens computed together.
  /// - Throws: `ComputeError.memory` where the system has no room for the context.
  public init(_ model: LlamaModel, _ tokenizer: Tokenizer, contextLength: Int, batchSize: Int)
    throws(ComputeError)
  {
    self.model = model
    self.tokenizer = tokenizer
    self.contextLength = max(1, min(contextLength, model.hyperparameters.contextLength))
    forward = ForwardPass(model, batchSize: min(max(1, batchSize), self.contextLength))
    sequence = try CachedSequence(model, capacity: self.contextLength)
  }

  /// Continues `prompt` until something ends the reply.
  ///
  /// - Parameters:
  ///   - isCancelled: asked before each batch and each token.
  ///   - body: called with each token as it is chosen.
  /// - Throws: `GenerationError`, and what `body` throws.
  public func generate(
    _ prompt: [Int], options: DecodingOptions, isCancelled: () -> Bool = { false },
    _ body: (GeneratedToken) throws -> Void
  ) throws -> GenerationSummary {
    var run = try ReplyRun(
      prompt, sequence, tokenizer, options: options, contextLength: contextLength)
    while true {
      switch try run.next(promptTokens: forward.batchSize, isCancelled: isCancelled(), body) {
      case .finished(let summary): return summary
      case .compute(let tokens, let wanted):
        do {
          try forward(tokens, cache: sequence.cache, wanted: wanted) { index, logits in
            try run.receive(index, logits)
          }
        } catch {
          sequence.recover()
          throw error
        }
        run.settle()
      }
    }
  }
}
