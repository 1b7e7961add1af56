import Dispatch
import Swiftlet

/// A session as `chat` uses it: replies are printed as they come, and Ctrl-C stops one.
final class Conversation {
  private let language: LanguageModel
  private let options: DecodingOptions
  private var session: LanguageModelSession
  private var last: LanguageModelSession.Response<String>?

  /// The file that this conversation is kept in, once it was saved or loaded.
  private var ownPath: String?
  private var droppedTurns = 0

  /// - Parameters:
  ///   - path: a conversation to go on from.
  ///   - instructions: nil leaves those of the conversation, or the model's own.
  init(
    _ language: LanguageModel, from path: String?, instructions: String?, options: DecodingOptions
  ) throws {
    self.language = language
    self.options = options
    var messages = try path.map(Self.messages) ?? []
    if let instructions {
      messages.removeAll { $0.role == .system }
      messages.insert(ChatMessage(.system, instructions), at: 0)
    }
    ownPath = path
    session = LanguageModelSession(
      model: language, transcript: Transcript(messages: messages),
      contextOverflow: .dropOldestTurns)
    session.prewarm()
  }

  var transcript: Transcript { session.transcript }

  /// Prints the reply to `prompt`.
  func say(_ prompt: String) throws {
    let stream = session.streamResponse(to: prompt, decoding: options)
    let done = DispatchSemaphore(value: 0)
    let outcome = Outcome()
    let task = Task.detached {
      do {
        for try await snapshot in stream { StandardOutput.write(snapshot.delta) }
        outcome.result = .success(try await stream.collect())
      } catch { outcome.result = .failure(error) }
      done.signal()
    }
    while done.wait(timeout: .now() + .milliseconds(20)) == .timedOut {
      if Interruption.happened { task.cancel() }
    }
    StandardOutput.write("\n")
    let response: LanguageModelSession.Response<String>
    do {
      guard let result = outcome.result else { return }
      response = try result.get()
    } catch is CancellationError {
      StandardError.write("(stopped)\n")
      return
    }
    if response.finishReason == .context { StandardError.write("(the context is full)\n") }
    if response.droppedTurns > droppedTurns {
      droppedTurns = response.droppedTurns
      StandardError.write("(the oldest \(droppedTurns) turns no longer fit into the context)\n")
    }
    last = response
  }

  private final class Outcome: @unchecked Sendable {
    // @unchecked Sendable: written before a semaphore is signalled, read after it.
    var result: Result<LanguageModelSession.Response<String>, any Error>?
  }

  func setInstructions(_ text: String?) {
    var entries = transcript.filter { if case .instructions = $0 { false } else { true } }
    if let text { entries.insert(.instructions(text), at: 0) }
    begin(Transcript(entries: entries))
  }

  func reset() {
    begin(
      Transcript(
        entries: transcript.filter { if case .instructions = $0 { true } else { false } }))
  }

  private func begin(_ transcript: Transcript) {
    session = LanguageModelSession(
      model: language, transcript: transcript, contextOverflow: .dropOldestTurns)
    session.prewarm()
    last = nil
    droppedTurns = 0
  }

  var statistics: String {
    guard let last else { return "nothing was said yet\n" }
    let summary = last.summary
    let timings = ReplyOutput.Timings(summary, loadSeconds: 0)
    return """
      prompt \(summary.promptTokens) tokens, \(summary.reusedTokens) of them kept, first token after \
      \(timings.first_token_ms.rounded1) ms; reply \(summary.responseTokens) tokens at \
      \(timings.decode_tps.rounded1) tok/s, ended by \(summary.finishReason.rawValue); \
      \(summary.promptTokens + summary.responseTokens) of \(language.contextLength) positions\n
      """
  }

  // MARK: Files

  /// Writes the messages in OpenAI's form.
  func save(_ path: String) throws {
    guard path == ownPath || !FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(
        "\(path): is there, and not this conversation's file: nothing was written")
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let output = try OutputFile(path: path)
    try output.write(try encoder.encode(transcript.messages))
    try output.write("\n".utf8)
    try output.publish()
    ownPath = path
  }

  func load(_ path: String) throws {
    begin(Transcript(messages: try Self.messages(path)))
    ownPath = path
  }

  private static func messages(_ path: String) throws -> [ChatMessage] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure("\(path): cannot be read")
    }
    do {
      return try JSONDecoder().decode([ChatMessage].self, from: data)
    } catch {
      throw CommandFailure("\(path): no array of messages with role and content")
    }
  }
}
