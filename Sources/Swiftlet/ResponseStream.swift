import Synchronization

extension LanguageModelSession {
  /// A response as it is made: a sequence of snapshots, for one iteration.
  public struct ResponseStream<Content: Generable>: AsyncSequence, Sendable {
    /// What there is so far.
    public struct Snapshot: Sendable {
      /// All of it.
      public let content: Content.PartiallyGenerated
      /// All of it as the model wrote it; of a text that text.
      public let rawContent: GeneratedContent
      /// What came since the snapshot before, as the model wrote it.
      public let delta: String
    }

    let started: StartedReply
    /// Makes content of all that was written so far; nil where there is none yet.
    let read: @Sendable (String) throws -> (Content.PartiallyGenerated, GeneratedContent)?

    public struct AsyncIterator: AsyncIteratorProtocol {
      var deltas: AsyncThrowingStream<String, any Error>.Iterator
      let end: IterationEnd
      let read: @Sendable (String) throws -> (Content.PartiallyGenerated, GeneratedContent)?
      var text = ""
      var unseen = ""

      /// The next snapshot; nil at the end.
      public mutating func next() async throws -> Snapshot? {
        while let delta = try await deltas.next() {
          text += delta
          unseen += delta
          guard let (content, raw) = try read(text) else { continue }
          defer { unseen = "" }
          return Snapshot(content: content, rawContent: raw, delta: unseen)
        }
        try Task.checkCancellation()
        return nil
      }
    }

    public func makeAsyncIterator() -> AsyncIterator {
      AsyncIterator(
        deltas: started.deltas.makeAsyncIterator(), end: IterationEnd(started.reply), read: read)
    }
  }
}

extension LanguageModelSession.ResponseStream where Content == String {
  /// Waits for the whole response.
  public func collect() async throws -> LanguageModelSession.Response<String> {
    try await started.collect()
  }
}

extension LanguageModelSession.ResponseStream {
  /// Waits for the whole response.
  ///
  /// - Throws: as `respond(to:generating:)`.
  public func collect() async throws -> LanguageModelSession.Response<Content> {
    let response = try await started.collect()
    if let text = response as? LanguageModelSession.Response<Content> { return text }
    guard response.finishReason != .cancelled else { throw CancellationError() }
    guard response.summary.isWhole else {
      throw LanguageModelSession.GenerationError.decodingFailure(
        text: response.content, finishReason: response.finishReason)
    }
    let content = try GeneratedContent(json: response.content)
    return LanguageModelSession.Response(
      content: try Content(content), rawContent: content, finishReason: response.finishReason,
      transcriptEntries: response.transcriptEntries, summary: response.summary,
      droppedTurns: response.droppedTurns)
  }
}

/// A response that has been asked for, and what is said of it.
struct StartedReply: Sendable {
  let deltas: AsyncThrowingStream<String, any Error>
  let reply: PendingReply

  /// The response as text.
  var texts: LanguageModelSession.ResponseStream<String> {
    .init(started: self) { ($0, $0.generatedContent) }
  }

  /// Waits for the whole response.
  func collect() async throws -> LanguageModelSession.Response<String> {
    let end = IterationEnd(reply)
    for try await _ in deltas {}
    withExtendedLifetime(end) {}
    try Task.checkCancellation()
    guard let response = reply.response else { throw CancellationError() }
    return response
  }
}

/// Cancels a response when its iteration is given up: the stream itself may be held for longer.
final class IterationEnd: Sendable {
  private let reply: PendingReply
  init(_ reply: PendingReply) { self.reply = reply }
  deinit { reply.cancel() }
}

/// A response that somebody waits for.
final class PendingReply: Sendable {
  let prompt: Transcript.Entry
  let options: DecodingOptions
  let grammar: (@Sendable () throws -> TokenGrammar)?
  private let continuation: AsyncThrowingStream<String, any Error>.Continuation
  private let cancellation = CancellationFlag()
  private let progress = Mutex<(text: String, response: LanguageModelSession.Response<String>?)>(
    ("", nil))

  init(
    prompt: Transcript.Entry, options: DecodingOptions,
    grammar: (@Sendable () throws -> TokenGrammar)?,
    continuation: AsyncThrowingStream<String, any Error>.Continuation
  ) {
    self.prompt = prompt
    self.options = options
    self.grammar = grammar
    self.continuation = continuation
  }

  var isCancelled: Bool { cancellation.isSet }
  func cancel() { cancellation.set() }

  /// What was said so far.
  var text: String { progress.withLock { $0.text } }
  var response: LanguageModelSession.Response<String>? { progress.withLock { $0.response } }

  func say(_ delta: String) {
    guard !delta.isEmpty else { return }
    progress.withLock { $0.text += delta }
    continuation.yield(delta)
  }

  func end(_ response: LanguageModelSession.Response<String>) {
    progress.withLock { $0.response = response }
    continuation.finish()
  }

  func fail(_ error: any Error) { continuation.finish(throwing: error) }
}
