import Compute
import Llama
import Tokenization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Options of one reply.
public struct GenerationOptions: Equatable, Sendable {
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

  public enum Speculation: String, Sendable, CaseIterable {
    case automatic = "auto"
    case off
  }

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
  case cancelled
}

/// One token of a reply.
public struct GeneratedToken: Sendable {
  public struct Alternative: Sendable, Equatable {
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
  public let finishReason: FinishReason
  public let promptTokens: Int
  public let responseTokens: Int
  /// Tokens that were guessed from earlier text, and how many of them were right.
  public let guessedTokens: Int
  public let rightGuesses: Int
  /// Seconds from the start of the prompt to the first token.
  public let promptSeconds: Double
  /// Seconds from the first token to the end.
  public let responseSeconds: Double
}

public enum GenerationError: Error, Equatable, Sendable {
  /// The prompt alone does not fit.
  case promptTooLong(tokens: Int, context: Int)
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
/// Holds one sequence's cache; serves one caller at a time.
public final class TextGenerator {
  public let model: LlamaModel
  public let tokenizer: Tokenizer
  public let contextLength: Int
  private let forward: ForwardPass
  private let cache: KeyValueCache

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
    cache = try model.makeCache(capacity: self.contextLength)
  }

  /// Continues `prompt` until something ends the reply.
  ///
  /// - Parameters:
  ///   - isCancelled: asked before each batch and each token.
  ///   - body: called with each token as it is chosen.
  /// - Throws: `GenerationError`, and what `body` throws.
  public func generate(
    _ prompt: [Int], options: GenerationOptions, isCancelled: () -> Bool = { false },
    _ body: (GeneratedToken) throws -> Void
  ) throws -> GenerationSummary {
    try check(prompt)
    let start = monotonicSeconds()
    cache.truncate(to: 0)
    var decoding = Decoding(options)
    var reply = Reply(tokenizer, options)
    var firstToken: Double?
    func finished(_ reason: FinishReason) -> GenerationSummary {
      let now = monotonicSeconds()
      return GenerationSummary(
        finishReason: reason, promptTokens: prompt.count, responseTokens: reply.count,
        guessedTokens: decoding.guessed, rightGuesses: decoding.right,
        promptSeconds: (firstToken ?? now) - start, responseSeconds: now - (firstToken ?? now))
    }

    for batch in stride(from: 0, to: prompt.count, by: forward.batchSize) {
      if isCancelled() { return finished(.cancelled) }
      let end = min(batch + forward.batchSize, prompt.count)
      try decoding.read(prompt[batch..<end], isLast: end == prompt.count, self)
    }
    firstToken = monotonicSeconds()

    var reason = FinishReason.cancelled
    while let choice = decoding.next() {
      if tokenizer.endOfGeneration.contains(choice.id) {
        reason = .stop
        break
      }
      if reply.count == options.maximumResponseTokens {
        reason = .length
        break
      }
      let isStopped = try reply.append(choice, body)
      if isStopped {
        reason = .stopString
        break
      }
      if reply.count == options.maximumResponseTokens {
        reason = .length
        break
      }
      // Every token but the newest is in the cache.
      let left = contextLength - (prompt.count + reply.count - 1)
      if left == 0 {
        reason = .context
        break
      }
      if isCancelled() { break }
      let wanted = options.maximumResponseTokens.map { $0 - reply.count } ?? left
      try decoding.advance(choice.id, atMost: min(left, wanted), self)
    }
    if reason != .stopString { try reply.finish(body) }
    return finished(reason)
  }

  private func check(_ prompt: [Int]) throws(GenerationError) {
    guard !prompt.isEmpty else { throw .emptyPrompt }
    guard prompt.count < contextLength || (prompt.count == contextLength && contextLength == 1)
    else { throw .promptTooLong(tokens: prompt.count, context: contextLength) }
    let size = model.hyperparameters.vocabularySize
    for id in prompt where id < 0 || id >= size {
      throw .unknownToken(id: id, vocabulary: size)
    }
  }

  /// Appends `tokens` to the cache and calls `body` with the index and logits of each, or of the last.
  func compute(
    _ tokens: some RandomAccessCollection<Int>, _ wanted: ForwardPass.Wanted,
    _ body: (Int, UnsafeMutableBufferPointer<Float>) throws -> Void
  ) throws {
    let first = cache.count
    try forward(tokens, cache: cache, wanted: wanted) { index, logits in
      guard isFinite(logits) else {
        // A damaged file is the likely reason, and says more.
        try model.checkFinite()
        throw GenerationError.notFinite(position: first + index)
      }
      try body(index, logits)
    }
  }

  /// Forgets the newest `count` tokens of the cache.
  func forget(_ count: Int) { cache.truncate(to: cache.count - count) }
}

/// The reply so far: decodes tokens and watches for stop strings.
private struct Reply {
  private(set) var count = 0
  private var decoder: StreamDecoder
  private var stops: StopStrings

  init(_ tokenizer: Tokenizer, _ options: GenerationOptions) {
    decoder = StreamDecoder(tokenizer)
    stops = StopStrings(options.stopStrings)
  }

  /// Says `choice`; true where it completed a stop string.
  mutating func append(_ choice: GeneratedChoice, _ body: (GeneratedToken) throws -> Void) rethrows
    -> Bool
  {
    count += 1
    func say(_ text: String) throws {
      try body(
        GeneratedToken(
          id: choice.id, text: text, logProbability: choice.logProbability,
          likeliest: choice.likeliest))
    }
    switch stops.append(decoder.append(choice.id)) {
    case .text(let text):
      try say(text)
      return false
    case .stopped(let text):
      try say(text)
      return true
    }
  }

  /// Says what was held back.
  mutating func finish(_ body: (GeneratedToken) throws -> Void) rethrows {
    var text = ""
    if case .text(let last) = stops.append(decoder.finish()) { text = last + stops.finish() }
    guard !text.isEmpty else { return }
    try body(GeneratedToken(id: nil, text: text, logProbability: nil, likeliest: []))
  }
}

/// Whether no value is NaN or infinite: such a value times zero is NaN, and stays so in a sum.
private func isFinite(_ values: UnsafeMutableBufferPointer<Float>) -> Bool {
  var sums = SIMD16<Float>.zero
  var index = 0
  while index + 16 <= values.count {
    let chunk = UnsafeRawPointer(values.baseAddress.unsafelyUnwrapped + index)
    sums += chunk.loadUnaligned(as: SIMD16<Float>.self) * 0
    index += 16
  }
  return sums.sum() == 0 && values[index...].allSatisfy(\.isFinite)
}
