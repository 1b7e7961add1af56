import Dispatch
import Synchronization

/// A conversation with a model.
///
/// Shaped like FoundationModels' class of the same name. Keys and values of what was said are kept, so that
/// a turn computes only what is new; sessions of one model that respond at the same time share passes
/// over its weights. No call blocks the threads of Swift's tasks.
///
/// ```swift
/// let session = LanguageModelSession(model: model, instructions: "You are terse.")
/// let answer = try await session.respond(to: "Why is the sky blue?").content
/// for try await partial in session.streamResponse(to: "Tell me more.") {
///   print(partial.delta, terminator: "")
/// }
/// ```
public final class LanguageModelSession: Sendable {
  /// What happens when a prompt, with all that was said before, leaves no room in the context.
  public enum ContextOverflow: Sendable {
    /// `GenerationError.exceededContextWindowSize`.
    case error
    /// The oldest prompt and its response are left out, and the next, until there is room for the
    /// prompt and a response (`maximumResponseTokens`, or a quarter of the context); the instructions stay.
    /// What is left out stays in `transcript`.
    case dropOldestTurns
    /// As `dropOldestTurns`; and a response that reaches the context's end forgets the older half of what is
    /// after the instructions, in the middle of a turn if need be, and goes on.
    case shift
  }

  /// A whole response.
  public struct Response<Content: Sendable>: Sendable {
    /// The response.
    public let content: Content
    /// The content as the model wrote it; of a text that text.
    public let rawContent: GeneratedContent
    /// Why it ended.
    public let finishReason: FinishReason
    /// The prompt and the response, as in the session's transcript.
    public let transcriptEntries: [Transcript.Entry]
    /// Tokens and times.
    public let summary: GenerationSummary
    /// The oldest turns, left out so that there was room.
    public let droppedTurns: Int
  }

  /// The model that responds.
  public let model: LanguageModel
  /// What happens where the context is full.
  public let contextOverflow: ContextOverflow
  private let state: Mutex<State>

  private struct State {
    var transcript: Transcript
    var held = HeldSequence()
    /// The oldest turns that are left out of prompts (`ContextOverflow.dropOldestTurns`).
    var droppedTurns = 0
    /// What the cache is used for; nil for nothing.
    var use: Use?
    /// What waits until that is over.
    var next: (use: Use, body: @Sendable () -> Void)?
  }

  private enum Use {
    case warming
    case copying
    case responding(PendingReply)

    var isResponse: Bool { if case .responding = self { true } else { false } }

    /// Whether it is over soon, by itself or because nobody waits for it.
    var isPassing: Bool {
      if case .responding(let reply) = self { reply.isCancelled } else { true }
    }
  }

  /// - Parameters:
  ///   - model: who responds.
  ///   - instructions: the system message; nil is the one that the model's template has, if any.
  ///   - contextOverflow: what happens where the context is full.
  public convenience init(
    model: LanguageModel, instructions: String? = nil, contextOverflow: ContextOverflow = .error
  ) {
    let entries = instructions.map { [Transcript.Entry.instructions($0)] }
    self.init(
      model: model, transcript: Transcript(entries: entries ?? []), contextOverflow: contextOverflow
    )
  }

  /// Goes on from what was said.
  public init(
    model: LanguageModel, transcript: Transcript, contextOverflow: ContextOverflow = .error
  ) {
    self.model = model
    self.contextOverflow = contextOverflow
    state = Mutex(State(transcript: transcript))
  }

  init(
    model: LanguageModel, transcript: Transcript, sequence: HeldSequence,
    contextOverflow: ContextOverflow
  ) {
    self.model = model
    self.contextOverflow = contextOverflow
    state = Mutex(State(transcript: transcript, held: sequence))
  }

  /// What was said so far.
  public var transcript: Transcript { state.withLock { $0.transcript } }

  /// Whether a response is under way.
  public var isResponding: Bool {
    state.withLock { $0.use?.isResponse == true || $0.next?.use.isResponse == true }
  }

  /// The response to `prompt`. Cancelling the task ends the work within a token, or a part of the prompt.
  ///
  /// - Throws: `GenerationError`; `CancellationError`; `PromptError` where the model has no chat template
  ///   that can be read, or its template refuses the conversation; `ComputeError.memory`.
  public func respond(to prompt: String, options: GenerationOptions = GenerationOptions())
    async throws -> Response<String>
  {
    try await streamResponse(to: prompt, options: options).collect()
  }

  /// The response to `prompt` as it is made. The work starts at once, and ends with the iteration.
  ///
  /// Whoever stops early leaves what was said until then in the transcript; the next response may be asked
  /// for at once.
  ///
  /// - Returns: a sequence for one iteration, which throws as `respond` does.
  public func streamResponse(to prompt: String, options: GenerationOptions = GenerationOptions())
    -> ResponseStream<String>
  { streamResponse(to: prompt, decoding: options.decoding) }

  /// As `streamResponse(to:options:)`, with all options of the layer below.
  public func streamResponse(to prompt: String, decoding options: DecodingOptions)
    -> ResponseStream<String>
  { respond(to: .prompt(prompt), decoding: options).texts }

  /// Starts a response to an entry of the transcript that is to be.
  ///
  /// - Parameter grammar: makes the grammar of the response, off the threads of Swift's tasks; nil takes that of
  ///   the options.
  func respond(
    to prompt: Transcript.Entry, decoding options: DecodingOptions,
    grammar: (@Sendable () throws -> TokenGrammar)? = nil
  ) -> StartedReply {
    let (stream, continuation) = AsyncThrowingStream<String, any Error>.makeStream()
    let reply = PendingReply(
      prompt: prompt, options: options, grammar: grammar, continuation: continuation)
    continuation.onTermination = { end in
      if case .cancelled = end { reply.cancel() }
    }
    let isTaken = take(.responding(reply)) { [self] in
      // Templates and tokens take time in proportion to what was said.
      DispatchQueue.global().async { [self] in begin(reply) }
    }
    if !isTaken { continuation.finish(throwing: GenerationError.concurrentRequests) }
    return StartedReply(deltas: stream, reply: reply)
  }

  /// Computes what is known of the next prompt, so that its response starts sooner: the instructions and
  /// what was said. Returns at once.
  public func prewarm() {
    let isFree = state.withLock { state in
      guard state.use == nil, !state.transcript.isEmpty else { return false }
      state.use = .warming
      return true
    }
    guard isFree else { return }
    DispatchQueue.global().async { [weak self] in
      guard let self else { return }
      do {
        let ids = model.tokenizer.encode(
          try model.chatTemplate().render(transcript.messages, addsGenerationPrompt: false))
        guard !ids.isEmpty, ids.count < model.contextLength else { return release() }
        var options = DecodingOptions()
        options.maximumResponseTokens = 0
        submit(
          ids, options, isCancelled: { [weak self] in self?.isWaitedForInVain ?? true },
          say: { _ in }
        ) { [weak self] _ in self?.release() }
      } catch { release() }
    }
  }

  // MARK: Turns at the cache

  /// Calls `body` when the cache is free for `use`, at once or after what is over soon.
  ///
  /// - Returns: false, and `body` is not called, where the cache is in use for longer.
  private func take(_ use: Use, _ body: @escaping @Sendable () -> Void) -> Bool {
    let (isTaken, isNow) = state.withLock { state in
      guard let current = state.use else {
        state.use = use
        return (true, true)
      }
      guard current.isPassing, state.next == nil else { return (false, false) }
      state.next = (use, body)
      return (true, false)
    }
    if isNow { body() }
    return isTaken
  }

  private func release() {
    let next = state.withLock { state in
      defer { state.next = nil }
      state.use = state.next?.use
      return state.next?.body
    }
    next?()
  }

  /// Whether the one who waits for warming to end has given up.
  private var isWaitedForInVain: Bool {
    state.withLock { state in
      if case .responding(let reply)? = state.next?.use { reply.isCancelled } else { false }
    }
  }

  /// Calls `body` with what was said and its cache, off the threads of Swift's tasks, while nothing else
  /// uses them.
  ///
  /// - Parameter creates: whether a session that has said nothing gets its cache now.
  /// - Throws: `GenerationError.concurrentRequests`; `ComputeError.memory`; what `body` throws.
  func withSequence<R: Sendable>(
    creates: Bool = false,
    _ body: @escaping @Sendable (Transcript, CachedSequence?) throws -> R
  ) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      let isTaken = take(.copying) { [self] in
        DispatchQueue.global().async { [self] in
          let result = Result {
            let held = creates ? try heldSequence() : state.withLock { $0.held }
            return try body(transcript, held.sequence)
          }
          release()
          continuation.resume(with: result)
        }
      }
      if !isTaken { continuation.resume(throwing: GenerationError.concurrentRequests) }
    }
  }

  struct HeldSequence: @unchecked Sendable {
    // @unchecked Sendable: belongs to the one use that is under way.
    var sequence: CachedSequence?
  }

  /// The session's cache, made when it is first needed.
  private func heldSequence() throws -> HeldSequence {
    try state.withLock { state in
      if state.held.sequence == nil {
        state.held.sequence = try CachedSequence(model.model, capacity: model.contextLength)
      }
      return state.held
    }
  }

  // MARK: Responding

  private func begin(_ reply: PendingReply) {
    let entry = reply.prompt
    do {
      var options = reply.options
      if let grammar = reply.grammar { options.grammar = try grammar() }
      let (ids, dropped) = try promptTokens(entry, options)
      if contextOverflow == .shift { options.contextShift = try instructionTokens(ids) }
      submit(
        ids, options, isCancelled: { reply.isCancelled }, say: { reply.say($0.text) }
      ) { [self] result in
        do {
          end(reply, after: entry, try result.get(), droppedTurns: dropped)
        } catch { fail(reply, error) }
      }
    } catch { fail(reply, error) }
  }

  /// The ids of all that was said and `prompt`, less the oldest turns where the session says so.
  private func promptTokens(_ prompt: Transcript.Entry, _ options: DecodingOptions) throws
    -> (ids: [Int], dropped: Int)
  {
    let size = model.contextLength
    let template = try model.chatTemplate()
    var (said, dropped) = state.withLock { ($0.transcript, $0.droppedTurns) }
    said.append(prompt)
    for _ in 0..<dropped { _ = said.removeOldestTurn() }
    var ids = model.tokenizer.encode(try template.render(said.messages))
    if contextOverflow != .error {
      // Room for a response; and where there is none, more, so that not every turn changes the beginning
      // and makes all the rest be computed again.
      let response = min(options.maximumResponseTokens ?? size / 4, size / 2)
      if ids.count + response > size {
        while ids.count + response > size * 3 / 4, said.removeOldestTurn() {
          dropped += 1
          ids = model.tokenizer.encode(try template.render(said.messages))
        }
      }
    }
    guard ids.count < size else {
      throw GenerationError.exceededContextWindowSize(.init(tokens: ids.count, contextSize: size))
    }
    state.withLock { $0.droppedTurns = dropped }
    return (ids, dropped)
  }

  /// How many of a prompt's first tokens are the instructions.
  private func instructionTokens(_ ids: [Int]) throws -> Int {
    let entries = state.withLock { $0.transcript }.prefix {
      if case .instructions = $0 { true } else { false }
    }
    guard !entries.isEmpty else { return 0 }
    let messages = Transcript(entries: entries).messages
    let alone = model.tokenizer.encode(
      try model.chatTemplate().render(messages, addsGenerationPrompt: false))
    return zip(ids, alone).prefix { $0 == $1 }.count
  }

  private func submit(
    _ ids: [Int], _ options: DecodingOptions, isCancelled: @escaping @Sendable () -> Bool,
    say: @escaping @Sendable (GeneratedToken) -> Void,
    finish: @escaping @Sendable (Result<GenerationSummary, any Error>) -> Void
  ) {
    do {
      guard let sequence = try heldSequence().sequence else { return }
      model.scheduler.submit(
        ReplyScheduler.Request(
          ids, sequence, options: options, contextLength: model.contextLength,
          isCancelled: isCancelled, say: say, finish: finish))
    } catch { finish(.failure(error)) }
  }

  private func end(
    _ reply: PendingReply, after prompt: Transcript.Entry, _ summary: GenerationSummary,
    droppedTurns: Int
  ) {
    let text = reply.text
    let response = Transcript.Entry.response(text)
    // Cancelled before anything was said: as if it had not been asked.
    let entries = summary.finishReason == .cancelled && text.isEmpty ? [] : [prompt, response]
    state.withLock { state in
      for entry in entries { state.transcript.append(entry) }
    }
    release()
    reply.end(
      Response(
        content: text, rawContent: text.generatedContent, finishReason: summary.finishReason,
        transcriptEntries: entries,
        summary: summary, droppedTurns: droppedTurns))
  }

  private func fail(_ reply: PendingReply, _ error: any Error) {
    release()
    reply.fail(error)
  }
}

extension LanguageModelSession {
  /// Why there is no response.
  public enum GenerationError: Error, Equatable, Sendable {
    /// What a prompt needs, and what there is.
    public struct Context: Equatable, Sendable {
      /// Tokens of all that was said and the prompt.
      public let tokens: Int
      /// Positions of the session's context, of which a response needs at least one.
      public let contextSize: Int

      /// Both numbers, in a sentence.
      public var debugDescription: String {
        "the conversation has \(tokens) tokens and the context holds \(contextSize)"
      }
    }

    /// The prompt, with all that was said before, has no room in the context.
    case exceededContextWindowSize(Context)
    /// The response ended before it was whole, for want of room: `finishReason` says of which, `text` is
    /// what there is.
    case decodingFailure(text: String, finishReason: FinishReason)
    /// A response is under way (`isResponding`).
    case concurrentRequests
    /// `choose` was given no texts, or an empty one.
    case nothingToChoose
  }
}

extension LanguageModelSession.GenerationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .exceededContextWindowSize(let context): context.debugDescription
    case .decodingFailure(let text, let reason):
      "the response ended (\(reason.rawValue)) before it was whole: \(text.suffix(200))"
    case .concurrentRequests: "the session is responding to another prompt"
    case .nothingToChoose: "there is no text to choose, or an empty one"
    }
  }
}
