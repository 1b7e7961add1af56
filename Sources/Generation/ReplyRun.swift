import Compute
import Llama
import Tokenization

/// One reply in the making: says what to compute next, and makes text of the logits.
///
/// Whoever drives it calls `next`, appends the tokens that it is told to the sequence's cache, passes on the
/// logits, and calls `settle`; alone (`TextGenerator`) or together with others (`ReplyScheduler`).
package struct ReplyRun {
  package enum Step {
    /// Append these tokens, and call `receive` for those that are wanted.
    case compute([Int], ForwardPass.Wanted)
    case finished(GenerationSummary)
  }

  /// What is read before tokens are chosen: the prompt, and after a shift what is left of the context.
  private var prompt: [Int]
  private let promptTokens: Int
  private let sequence: CachedSequence
  private let model: LlamaModel
  private let tokenizer: Tokenizer
  private let options: DecodingOptions
  private let contextLength: Int
  private let start = monotonicSeconds()
  private let reused: Int
  private var firstToken: Double?
  /// Tokens of the prompt that have been computed.
  private var position: Int
  private var decoding: Decoding
  private var reply: Reply
  /// The tokens of the pass that is under way, and how many of them there are before the first wanted.
  private var passed: [Int] = []
  private var unwanted = 0

  /// - Parameters:
  ///   - sequence: what it shares with `prompt` is kept, the rest forgotten.
  ///   - contextLength: positions of prompt and reply together, at most the sequence's capacity.
  /// - Throws: `GenerationError` where the prompt is empty, too long, or has ids that are no tokens;
  ///   `GrammarError`.
  package init(
    _ prompt: [Int], _ sequence: CachedSequence, _ tokenizer: Tokenizer,
    options: DecodingOptions, contextLength: Int
  ) throws {
    guard !prompt.isEmpty else { throw GenerationError.emptyPrompt }
    guard prompt.count < contextLength || (prompt.count == contextLength && contextLength == 1)
    else { throw GenerationError.promptTooLong(tokens: prompt.count, context: contextLength) }
    let size = sequence.model.hyperparameters.vocabularySize
    for id in prompt where id < 0 || id >= size {
      throw GenerationError.unknownToken(id: id, vocabulary: size)
    }
    self.prompt = prompt
    promptTokens = prompt.count
    self.sequence = sequence
    model = sequence.model
    self.tokenizer = tokenizer
    var options = options
    options.maximumResponseTokens = options.maximumResponseTokens.map { max(0, $0) }
    self.options = options
    self.contextLength = contextLength
    let room = options.contextShift == nil ? contextLength - prompt.count + 1 : .max
    decoding = try Decoding(
      options, tokenizer,
      room: options.maximumResponseTokens.map { min($0, room) } ?? room)
    reply = Reply(tokenizer, options)
    reused = sequence.keepPrefix(of: prompt)
    position = reused
    decoding.read(prompt[..<reused])
  }

  /// Whether the prompt is still being read.
  package var isReadingPrompt: Bool { position < prompt.count }

  /// Says what was chosen, up to where something has to be computed.
  ///
  /// - Parameters:
  ///   - limit: tokens of the prompt to compute together, at least 1.
  ///   - isCancelled: whether to end here.
  ///   - body: called with each token.
  package mutating func next(
    promptTokens limit: Int, isCancelled: Bool, _ body: (GeneratedToken) throws -> Void
  ) throws -> Step {
    if isReadingPrompt {
      if isCancelled { return .finished(try finish(.cancelled, body)) }
      let part = prompt[position..<min(position + limit, prompt.count)]
      position = part.endIndex
      if reply.count == 0 { decoding.read(part) }
      return compute(Array(part), isReadingPrompt ? .none : .last)
    }
    firstToken = firstToken ?? monotonicSeconds()
    while let choice = decoding.next() {
      if tokenizer.endOfGeneration.contains(choice.id) { return .finished(try finish(.stop, body)) }
      if reply.count == options.maximumResponseTokens {
        return .finished(try finish(.length, body))
      }
      if try reply.append(choice, body) { return .finished(try finish(.stopString, body)) }
      if decoding.isComplete, !decoding.hasChoices { return .finished(try finish(.stop, body)) }
      if decoding.isLooping, decoding.isWhole, !decoding.hasChoices {
        return .finished(try finish(.repetition, body))
      }
      if reply.count == options.maximumResponseTokens {
        return .finished(try finish(.length, body))
      }
      // Every token but the newest is in the cache.
      let left = contextLength - (sequence.tokens.count - decoding.choiceCount)
      if left == 0, options.contextShift == nil { return .finished(try finish(.context, body)) }
      if isCancelled { break }
      if decoding.hasChoices { continue }
      if left == 0 {
        shift(before: choice.id)
        return try next(promptTokens: limit, isCancelled: isCancelled, body)
      }
      let wanted = options.maximumResponseTokens.map { $0 - reply.count } ?? left
      let tokens = decoding.propose(choice.id, atMost: min(left, wanted))
      return compute(tokens, tokens.count == 1 ? .last : .all)
    }
    return .finished(try finish(.cancelled, body))
  }

  /// Makes room: what is left of the context, and the newest token, are to be read.
  private mutating func shift(before newest: Int) {
    let all = sequence.tokens + [newest]
    // At least one token has to go, and one to be read.
    let kept = min(max(0, options.contextShift ?? 0), contextLength / 2)
    let recent = max(1, (contextLength - kept) / 2)
    prompt = Array(all.prefix(kept)) + all.suffix(recent)
    decoding.restart(after: newest)
    position = sequence.keepPrefix(of: prompt)
  }

  private mutating func compute(_ tokens: [Int], _ wanted: ForwardPass.Wanted) -> Step {
    passed = tokens
    unwanted = wanted == .last ? tokens.count - 1 : 0
    return .compute(tokens, wanted)
  }

  /// Takes the logits of the token at `index` of those that `next` gave.
  ///
  /// - Throws: `GenerationError.notFinite`, or the reason for it that was found in the file; `GrammarError`.
  package mutating func receive(_ index: Int, _ logits: UnsafeMutableBufferPointer<Float>) throws {
    guard logits.isFinite else {
      // A damaged file is the likely reason, and says more.
      try model.checkFinite()
      throw GenerationError.notFinite(position: sequence.tokens.count + index)
    }
    try decoding.receive(index - unwanted, logits)
  }

  /// Notes that the pass is over.
  package mutating func settle() {
    sequence.append(passed)
    if !isReadingPrompt { sequence.forget(decoding.settle()) }
  }

  private mutating func finish(
    _ reason: FinishReason, _ body: (GeneratedToken) throws -> Void
  ) throws -> GenerationSummary {
    let now = monotonicSeconds()
    if reason != .stopString { try reply.finish(body) }
    // What was chosen ahead and is not said does not count.
    let isWhole = options.grammar == nil || decoding.isWhole && !decoding.hasChoices
    return GenerationSummary(
      finishReason: reason, isWhole: isWhole, promptTokens: promptTokens, reusedTokens: reused,
      responseTokens: reply.count, guessedTokens: decoding.guessed, rightGuesses: decoding.right,
      promptSeconds: (firstToken ?? now) - start, responseSeconds: now - (firstToken ?? now))
  }
}

/// The reply so far: decodes tokens and watches for stop strings.
private struct Reply {
  private(set) var count = 0
  private var decoder: StreamDecoder
  private var stops: StopStrings

  init(_ tokenizer: Tokenizer, _ options: DecodingOptions) {
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
