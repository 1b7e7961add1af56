import Swiftlet

@Generable(description: "A person")
struct Person {
  @Guide(description: "First name", .maximumLength(12)) var name: String
  @Guide(description: "Age in years", .range(18...90)) var age: Int
  @Guide(.count(1...2)) var pets: [Pet]
  var isMember: Bool
}

@Generable
struct Pet {
  @Guide(.anyOf(["Rex", "Mia", "Tom"])) var name: String
  var kind: Kind
}

@Generable
enum Kind { case cat, dog, fish }

/// What a program that depends on Swiftlet does, by README and DocC text alone: asks, streams, cancels, saves
/// and restores, and extracts a struct a hundred times. Prints what it found; `scripts/consumer` looks.
@main
struct Consumer {
  static func main() async throws {
    let model = try await LanguageModel.load(CommandLine.arguments[1])
    let options = GenerationOptions(sampling: .greedy, maximumResponseTokens: 40)

    let session = LanguageModelSession(model: model, instructions: "Answer in one sentence.")
    let question = "What is the capital of France?"
    print("answer:", try await session.respond(to: question, options: options).content)

    var streamed = ""
    for try await snapshot in session.streamResponse(to: "And of Italy?", options: options) {
      streamed += snapshot.delta
    }
    print("streamed:", streamed)

    try await session.save(to: "consumer.session")
    let restored = try await LanguageModelSession.restore(from: "consumer.session", model: model)
    let here = try await session.respond(to: "And of Spain?", options: options)
    let there = try await restored.respond(to: "And of Spain?", options: options)
    print("restored:", here.content == there.content && there.summary.reusedTokens > 0)

    let task = Task {
      try await LanguageModelSession(model: model).respond(
        to: "Tell a very long story.", options: GenerationOptions(sampling: .greedy))
    }
    try await Task.sleep(for: .milliseconds(100))
    let cancelled = ContinuousClock.now
    task.cancel()
    do {
      _ = try await task.value
      print("cancelled: false")
    } catch is CancellationError {
      print("cancelled:", ContinuousClock.now - cancelled < .seconds(1))
    }

    var valid = 0
    for seed in 0..<100 {
      let options = GenerationOptions(
        sampling: .random(top: 100, seed: UInt64(seed)), temperature: 1)
      let session = LanguageModelSession(model: model)
      let person = try await session.respond(
        to: "Invent a person.", generating: Person.self, options: options
      ).content
      if person.name.unicodeScalars.count <= 12, (18...90).contains(person.age),
        (1...2).contains(person.pets.count),
        person.pets.allSatisfy({ ["Rex", "Mia", "Tom"].contains($0.name) })
      {
        valid += 1
      }
    }
    print("extracted:", valid)
  }
}
