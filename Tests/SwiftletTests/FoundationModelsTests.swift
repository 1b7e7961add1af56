// FoundationModels code with another import and another model line. What it says is docs/foundation-models.md.
import Swiftlet
import TestSupport
import Testing

@Generable(description: "A recipe for dinner")
private struct Recipe {
  @Guide(description: "The dish's name")
  var name: String
  @Guide(description: "Minutes of work", .range(5...90))
  var minutes: Int
  @Guide(.count(2...4))
  var ingredients: [Ingredient]
  var difficulty: Difficulty
  var note: String?

  @Generable
  struct Ingredient {
    var name: String
    @Guide(.anyOf(["g", "ml", "piece"]))
    var unit: String
  }

  @Generable
  enum Difficulty: String, CaseIterable {
    case easy = "simple"
    case hard
  }
}

@Suite(.enabled(if: RealModel.isPresent)) private struct FoundationModelsTests {
  private func model() async throws -> LanguageModel {
    try await LanguageModel.load(contentsOfFile: RealModel.path("Q4_0"))
  }

  @Test("code for FoundationModels compiles and runs")
  func sample() async throws {
    let isFormal = true
    let session = LanguageModelSession(model: try await model()) {
      "You are a cook."
      if isFormal { "You are polite." }
      for word in ["Be", "brief."] { word }
    }
    #expect(session.transcript.first?.text == "You are a cook.\nYou are polite.\nBe\nbrief.")
    session.prewarm()

    let options = GenerationOptions(
      sampling: .random(top: 20, seed: 1), temperature: 0.7, maximumResponseTokens: 120)
    let response = try await session.respond(
      to: Prompt("Suggest a dinner."), generating: Recipe.self, options: options)
    let recipe = response.content
    #expect((5...90).contains(recipe.minutes) && (2...4).contains(recipe.ingredients.count))
    #expect(try response.rawContent.value(Int.self, forProperty: "minutes") == recipe.minutes)
    #expect(
      Recipe.Difficulty.allCases.map(\.generatedContent.jsonString) == [#""simple""#, #""hard""#])

    var names: [String] = []
    let stream = session.streamResponse(generating: Recipe.self, options: options) {
      "Suggest another dinner, not this one:"
      recipe
    }
    for try await snapshot in stream {
      if let name = snapshot.content.name { names.append(name) }
    }
    #expect(!names.isEmpty)

    let numbers = try await session.respond(
      to: "Three numbers", generating: [Int].self, includeSchemaInPrompt: false, options: options)
    _ = numbers.content as [Int]

    let menu = DynamicGenerationSchema(
      name: "Menu",
      properties: [
        .init(name: "soup", schema: .init(name: "Soup", anyOf: ["Leek", "Tomato"])),
        .init(
          name: "guests", schema: .init(type: Int.self, guides: [.range(1...8)]), isOptional: true),
        .init(
          name: "next",
          schema: .init(name: "Next", anyOf: [.init(referenceTo: "Menu"), .null])),
      ])
    let schema = try GenerationSchema(root: menu, dependencies: [])
    let content = try await session.respond(
      to: "Today's menu", schema: schema, options: options
    ).content
    let soup = try content.value(String.self, forProperty: "soup")
    #expect(["Leek", "Tomato"].contains(soup))

    do {
      _ = try await session.respond(to: String(repeating: "soup ", count: 3000))
      Issue.record("that is too long")
    } catch LanguageModelSession.GenerationError.exceededContextWindowSize(let context) {
      #expect(context.debugDescription.contains("2048"))
    }
    switch LanguageModel.availability(of: RealModel.path("Q4_0")) {
    case .available: break
    case .unavailable(let reason): Issue.record("\(reason)")
    }
    #expect(LanguageModel.availability(of: "/nowhere.gguf") != .available)
  }
}
