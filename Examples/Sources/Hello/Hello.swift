import Swiftlet

/// Asks one question. usage: Hello [MODEL]
@main
struct Hello {
  static func main() async throws {
    // Fetched on first use, checked, and kept.
    let name = CommandLine.arguments.dropFirst().first ?? "smollm2-135m"
    let model = try await LanguageModel.load(name)
    let session = LanguageModelSession(model: model, instructions: "Answer in one sentence.")
    let options = GenerationOptions(sampling: .greedy, maximumResponseTokens: 60)
    print(try await session.respond(to: "What is the capital of France?", options: options).content)
  }
}
