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
    /// The oldest prompt and its response are left out, and the next, until there is room; the
    /// instructions stay. They stay in `transcript` too.
    case dropOldestTurns
  }

  /// A whole response.
  public struct Response<Content: Sendable>: Sendable {
    public let content: Content
    /// Why it ended.
    public let finishReason: FinishReason
    /// The prompt and the response, as in the session's transcript.
    public let transcriptEntries: [Transcript.Entry]
    /// Tokens and times.
    public let summary: GenerationSummary
    /// Turns that were left out so that the prompt had room.
    public let droppedTurns: Int
  }

  public let model: LanguageModel
  public let contextOverflow: ContextOverflow
  private let state: Mutex<State>

  private struct State {
    var transcript: Transcript
    var isResponding = false
    var isWarming = false
    /// What waits until warming is over.
    var afterWarming: (@Sendable () -> Void)?
    var held = HeldSequence()
  }

  /// - Parameters:
  ///   - instructions: the system message; nil is the one that the model's template has, if any.
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
  public var isResponding: Bool { state.withLock { $0.isResponding } }

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
  /// Whoever stops early leaves what was said until then in the transcript.
  ///
  /// - Returns: a sequence for one iteration, which throws as `respond` does.
  public func streamResponse(to prompt: String, options: GenerationOptions = GenerationOptions())
    -> ResponseStream<String>
  { streamResponse(to: prompt, decoding: options.decoding) }

  /// As `streamResponse(to:options:)`, with all options of the layer below.
  public func streamResponse(to prompt: String, decoding options: DecodingOptions)
    -> ResponseStream<String>
  {
    let (stream, continuation) = AsyncThrowingStream<String, any Error>.makeStream()
    let reply = PendingReply(prompt: prompt, options: options, continuation: continuation)
    continuation.onTermination = { end in
      if case .cancelled = end { reply.cancel() }
    }
    let refused = state.withLock { state in
      defer { state.isResponding = true }
      return state.isResponding
    }
    if refused {
      continuation.finish(throwing: GenerationError.concurrentRequests)
    } else {
      whenWarm { [self] in
        // Templates and tokens take time in proportion to what was said.
        DispatchQueue.global().async { [self] in begin(reply) }
      }
    }
    return ResponseStream(stream: stream, reply: reply)
  }

  /// Computes what is known of the next prompt, so that its response starts sooner: the instructions and
  /// what was said. Returns at once.
  public func prewarm() {
    let starts = state.withLock { state in
      guard !state.isResponding, !state.isWarming, !state.transcript.isEmpty else { return false }
      state.isWarming = true
      return true
    }
    guard starts else { return }
    DispatchQueue.global().async { [self] in
      do {
        let template = try model.chatTemplate()
        let ids = model.tokenizer.encode(
          try template.render(transcript.messages, addsGenerationPrompt: false))
        guard !ids.isEmpty, ids.count < model.contextLength else { return warmed() }
        var options = DecodingOptions()
        options.maximumResponseTokens = 0
        submit(ids, options, isCancelled: { false }, say: { _ in }) { [self] _ in warmed() }
      } catch { warmed() }
    }
  }

  /// Calls `body` with what was said and its cache, off the threads of Swift's tasks, while nothing else
  /// uses them.
  ///
  /// - Throws: `GenerationError.concurrentRequests`, and what `body` throws.
  func withSequence<R: Sendable>(
    _ body: @escaping @Sendable (Transcript, CachedSequence?) throws -> R
  ) async throws -> R {
    let isFree = state.withLock { state in
      let isFree = !state.isResponding && !state.isWarming
      if isFree { state.isResponding = true }
      return isFree
    }
    guard isFree else { throw GenerationError.concurrentRequests }
    defer { state.withLock { $0.isResponding = false } }
    return try await offTasks { [self] _ in
      // Nobody else has it: this is the response under way.
      let held = state.withLock { ($0.transcript, $0.held) }
      return try body(held.0, held.1.sequence)
    }
  }

  struct HeldSequence: @unchecked Sendable {
    // @unchecked Sendable: belongs to the one request that is under way.
    var sequence: CachedSequence?
  }

  // MARK: Responding

  private func whenWarm(_ body: @escaping @Sendable () -> Void) {
    let waits = state.withLock { state in
      if state.isWarming { state.afterWarming = body }
      return state.isWarming
    }
    if !waits { body() }
  }

  private func warmed() {
    let next = state.withLock { state in
      state.isWarming = false
      defer { state.afterWarming = nil }
      return state.afterWarming
    }
    next?()
  }

  private func begin(_ reply: PendingReply) {
    let entry = Transcript.Entry.prompt(reply.prompt)
    do {
      let (ids, dropped) = try promptTokens(entry)
      submit(
        ids, reply.options, isCancelled: { reply.isCancelled }, say: { reply.say($0.text) }
      ) { [self] result in
        do {
          end(reply, after: entry, try result.get(), droppedTurns: dropped)
        } catch { fail(reply, error) }
      }
    } catch { fail(reply, error) }
  }

  /// The ids of all that was said and `prompt`, less the oldest turns where the session says so.
  private func promptTokens(_ prompt: Transcript.Entry) throws -> (ids: [Int], dropped: Int) {
    var said = transcript
    said.append(prompt)
    let template = try model.chatTemplate()
    var dropped = 0
    while true {
      let ids = model.tokenizer.encode(try template.render(said.messages))
      if ids.count < model.contextLength { return (ids, dropped) }
      guard contextOverflow == .dropOldestTurns, said.removeOldestTurn() else {
        throw GenerationError.exceededContextWindowSize(
          .init(tokens: ids.count, contextSize: model.contextLength))
      }
      dropped += 1
    }
  }

  private func submit(
    _ ids: [Int], _ options: DecodingOptions, isCancelled: @escaping @Sendable () -> Bool,
    say: @escaping @Sendable (GeneratedToken) -> Void,
    finish: @escaping @Sendable (Result<GenerationSummary, any Error>) -> Void
  ) {
    do {
      let held = try state.withLock { state in
        if state.held.sequence == nil {
          state.held.sequence = try CachedSequence(model.model, capacity: model.contextLength)
        }
        return state.held
      }
      guard let sequence = held.sequence else { return }
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
    state.withLock { state in
      state.transcript.append(prompt)
      state.transcript.append(response)
      state.isResponding = false
    }
    reply.end(
      Response(
        content: text, finishReason: summary.finishReason, transcriptEntries: [prompt, response],
        summary: summary, droppedTurns: droppedTurns))
  }

  private func fail(_ reply: PendingReply, _ error: any Error) {
    state.withLock { $0.isResponding = false }
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

      public var debugDescription: String {
        "the conversation has \(tokens) tokens and the context holds \(contextSize)"
      }
    }

    case exceededContextWindowSize(Context)
    /// A response is under way (`isResponding`).
    case concurrentRequests
  }
}

extension LanguageModelSession.GenerationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .exceededContextWindowSize(let context): context.debugDescription
    case .concurrentRequests: "the session is responding to another prompt"
    }
  }
}
