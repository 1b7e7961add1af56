import Synchronization

extension LanguageModelSession {
  /// A response as it is made: a sequence of snapshots, for one iteration.
  public struct ResponseStream<Content: Sendable>: AsyncSequence, Sendable {
    /// What there is so far.
    public struct Snapshot: Sendable {
      /// All of it.
      public let content: Content
      /// What came since the snapshot before.
      public let delta: String
    }

    let stream: AsyncThrowingStream<String, any Error>
    let reply: PendingReply

    public struct AsyncIterator: AsyncIteratorProtocol {
      var deltas: AsyncThrowingStream<String, any Error>.Iterator
      let end: IterationEnd
      var content = ""

      /// The next snapshot; nil at the end.
      public mutating func next() async throws -> Snapshot? {
        guard let delta = try await deltas.next() else {
          try Task.checkCancellation()
          return nil
        }
        content += delta
        return (content as? Content).map { Snapshot(content: $0, delta: delta) }
      }
    }

    public func makeAsyncIterator() -> AsyncIterator {
      AsyncIterator(deltas: stream.makeAsyncIterator(), end: IterationEnd(reply))
    }
  }
}

extension LanguageModelSession.ResponseStream where Content == String {
  /// Waits for the whole response.
  public func collect() async throws -> LanguageModelSession.Response<String> {
    for try await _ in self {}
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
  let prompt: String
  let options: DecodingOptions
  private let continuation: AsyncThrowingStream<String, any Error>.Continuation
  private let cancellation = CancellationFlag()
  private let progress = Mutex<(text: String, response: LanguageModelSession.Response<String>?)>(
    ("", nil))

  init(
    prompt: String, options: DecodingOptions,
    continuation: AsyncThrowingStream<String, any Error>.Continuation
  ) {
    self.prompt = prompt
    self.options = options
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
