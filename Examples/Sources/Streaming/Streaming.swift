import Swiftlet

/// Shows a response while it is made, stops another one early, and goes on from a saved session.
/// usage: Streaming [MODEL]
@main
struct Streaming {
  static func main() async throws {
    let name = CommandLine.arguments.dropFirst().first ?? "smollm2-135m"
    let model = try await LanguageModel.load(name)
    let session = LanguageModelSession(model: model, instructions: "You are a storyteller.")
    let options = GenerationOptions(
      sampling: .greedy, maximumResponseTokens: 60, repeatPenalty: 1.2)

    for try await snapshot in session.streamResponse(to: "Begin a story.", options: options) {
      print(snapshot.delta, terminator: "")
    }
    print()

    // Cancelling the task ends the work within a token: here once there is a beginning.
    let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      defer { beginning.finish() }
      let stream = session.streamResponse(
        to: "Go on for a long time.", options: GenerationOptions(sampling: .greedy))
      for try await _ in stream { beginning.yield() }
    }
    for await _ in begun { break }
    task.cancel()
    do {
      try await task.value
    } catch is CancellationError { print("(stopped)") }

    // A session on disk goes on where it was, without computing again what was said.
    let path = "story.session"
    try await session.save(to: path)
    let restored = try await LanguageModelSession.restore(from: path, model: model)
    let response = try await restored.respond(to: "How does it end?", options: options)
    print(response.content)
    print(
      "(\(response.summary.reusedTokens) of \(response.summary.promptTokens) tokens were known)")
  }
}
