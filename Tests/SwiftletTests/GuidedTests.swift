import Foundation
import OrderedJSON
import Swiftlet
import TestSupport
import Testing

@Generable(description: "A person") struct Person: Equatable {
  @Guide(description: "First and last name") var name: String
  @Guide(description: "Age in years", .range(1...120)) var age: Int
  @Guide(.anyOf(["red", "green", "blue"])) var color: String
  @Guide(.count(1...3), .element(.maximumLength(12))) var languages: [String]
  var pet: Pet?
  var mood: Mood
  var isMarried: Bool
}

@Generable struct Pet: Equatable {
  @Guide(.pattern("^[A-Z][a-z]{2,8}$")) var name: String
  @Guide(.minimum(0.5), .maximum(99)) var weight: Double
}

@Generable enum Mood: Equatable { case happy, sad, `default` }

@Generable enum Shape: Equatable {
  case point
  case circle(radius: Double)
  case polygon(corners: Int, name: String)
  case group([Shape])
}

@Generable struct Tree: Equatable {
  var value: Int
  @Guide(.maximumCount(2)) var children: [Tree]
}

/// Values that a model generates, without a model.
@Suite struct GenerableTests {
  @Test("values become content and come back")
  func roundTrip() throws {
    let person = Person(
      name: "Ada \"L\"\n", age: 36, color: "red", languages: ["a", "ü"],
      pet: Pet(name: "Rex", weight: 2.5), mood: .default, isMarried: true)
    let text = person.generatedContent.jsonString
    #expect(
      text == #"{"name": "Ada \"L\"\n", "age": 36, "color": "red", "languages": ["a", "ü"], "#
        + #""pet": {"name": "Rex", "weight": 2.5}, "mood": "default", "isMarried": true}"#)
    #expect(try Person(GeneratedContent(json: text)) == person)
    var single = person
    single.pet = nil
    #expect(!single.generatedContent.jsonString.contains("pet"))
    #expect(try Person(single.generatedContent) == single)
    // Foundation reads the same.
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(object?["name"] as? String == "Ada \"L\"\n")
    for shape in [
      Shape.point, .circle(radius: 1.5), .polygon(corners: 3, name: "△"),
      .group([.point, .group([])]),
    ] {
      #expect(try Shape(GeneratedContent(json: shape.generatedContent.jsonString)) == shape)
    }
    #expect(throws: GeneratedContentError.missing("age")) {
      try Person(GeneratedContent(json: #"{"name": "x"}"#))
    }
    #expect(throws: GeneratedContentError.self) { try Mood(GeneratedContent(json: #""angry""#)) }
    #expect(throws: GeneratedContentError.self) { try GeneratedContent(json: "]") }
  }

  @Test("a text that ends early is read as far as it goes, at every byte")
  func partial() throws {
    let text =
      #"{"name": "Ada \"L\" ü", "age": 36, "color": "red", "languages": ["a\n", "bc"], "#
      + #""pet": {"name": "Rex", "weight": 2.5}, "mood": "sad", "isMarried": true}"#
    let bytes = Array(text.utf8)
    var names: [String] = []
    for length in 1...bytes.count {
      let part = String(decoding: bytes.prefix(length), as: UTF8.self)
      // Whoever cuts a character reads a replacement; streams do not cut them.
      guard !part.contains("\u{FFFD}") else { continue }
      let content = try GeneratedContent(json: part)
      #expect(content.isComplete == (length == bytes.count))
      let person = try Person.PartiallyGenerated(content)
      if let name = person.name, names.last != name { names.append(name) }
      #expect(person.age == nil || person.age == 36)
      #expect(person.mood == nil || person.mood == .sad)
    }
    #expect(names.first == "" && names.last == "Ada \"L\" ü")
    #expect(zip(names, names.dropFirst()).allSatisfy { $1.hasPrefix($0) })
  }

  @Test("schemas say what the types say")
  func schemas() throws {
    #expect(
      Pet.generationSchema.jsonString
        == #"{"type": "object", "properties": {"name": {"type": "string", "#
        + #""pattern": "^[A-Z][a-z]{2,8}$"}, "weight": {"type": "number", "minimum": 0.5, "#
        + #""maximum": 99.0}}, "required": ["name", "weight"], "additionalProperties": false}"#)
    #expect(Tree.generationSchema.jsonString.contains(##""items": {"$ref": "#/$defs/Tree"}"##))
    for schema in [Person.generationSchema, Shape.generationSchema, Tree.generationSchema] {
      _ = try GenerationSchema(json: schema.jsonString)
    }
    #expect(throws: GrammarError.self) { try GenerationSchema(json: #"{"not": {}}"#) }
  }
}

/// Guided generation on the real model.
@Suite(.enabled(if: RealModel.isPresent)) struct GuidedTests {
  private static let language = Result { try LanguageModel(path: RealModel.path("Q4_0")) }

  private func session() throws -> LanguageModelSession {
    LanguageModelSession(model: try Self.language.get())
  }

  @Test("a struct is extracted 100 times out of 100, with valid values")
  func hundred() async throws {
    let schema = Person.generationSchema.jsonString
    let model = try Self.language.get()
    let people = try await withThrowingTaskGroup(of: Person.self) { group in
      for index in 0..<100 {
        group.addTask {
          try await LanguageModelSession(model: model).respond(
            to: "Invent person number \(index).", generating: Person.self,
            includeSchemaInPrompt: false,
            options: GenerationOptions(
              sampling: .random(probabilityThreshold: 0.95, seed: UInt64(index)), temperature: 1,
              maximumResponseTokens: 80)
          ).content
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(people.count == 100)
    #expect(
      people.allSatisfy { (1...120).contains($0.age) && (1...3).contains($0.languages.count) })
    #expect(people.allSatisfy { ["red", "green", "blue"].contains($0.color) })
    #expect(people.allSatisfy { $0.pet.map { (0.5...99).contains($0.weight) } ?? true })
    guard SchemaValidator.python != nil else { return }
    let texts = people.map { (schema: schema, text: $0.generatedContent.jsonString) }
    #expect(try SchemaValidator.complaints(texts) == [])
  }

  /// Of the 500; `SWIFTLET_SCHEMAS` asks for more.
  private static let schemaCount =
    ProcessInfo.processInfo.environment["SWIFTLET_SCHEMAS"].flatMap { Int($0) } ?? 60

  @Test(
    "what the model says by random schemas is valid", .enabled(if: SchemaValidator.python != nil))
  func randomSchemas() async throws {
    let model = try Self.language.get()
    guard case .array(let all) = try JSON(parsing: Array(try Fixtures.data("schemas.json"))) else {
      Issue.record("schemas.json is no list")
      return
    }
    let texts = try await withThrowingTaskGroup(of: (schema: String, text: String).self) { group in
      for (index, schema) in all.prefix(Self.schemaCount).enumerated() {
        group.addTask {
          let response = try await LanguageModelSession(model: model).respond(
            to: "Invent something, number \(index).",
            schema: GenerationSchema(json: schema.text), includeSchemaInPrompt: false,
            options: GenerationOptions(
              sampling: .random(probabilityThreshold: 0.95, seed: UInt64(index)), temperature: 1,
              maximumResponseTokens: 600))
          return (schema.text, response.content.jsonString)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(texts.count == min(all.count, Self.schemaCount))
    let complaints = try SchemaValidator.complaints(texts)
    #expect(complaints.isEmpty, "\(complaints.prefix(10).joined(separator: "\n"))")
  }

  @Test("a value is streamed in snapshots that grow to the whole")
  func streaming() async throws {
    let stream = try session().streamResponse(
      to: "Ada Lovelace, 36, speaks English and French.", generating: Person.self,
      options: GenerationOptions(sampling: .greedy, maximumResponseTokens: 100))
    var text = ""
    var last: Person.PartiallyGenerated?
    var count = 0
    for try await snapshot in stream {
      text += snapshot.delta
      last = snapshot.content
      count += 1
    }
    let person = try Person(GeneratedContent(json: text))
    #expect(count > 5)
    #expect(last?.name == person.name && last?.languages == person.languages)
  }

  @Test("where biases forbid all that the grammar allows the response is an error")
  func forbidden() async throws {
    let model = try Self.language.get()
    var options = DecodingOptions()
    options.grammar = try model.tokenGrammar(Grammar(gbnf: "root ::= \"a\""))
    options.sampling = .greedy
    for id in model.tokenizer.encode("a") { options.sampling.logitBias[id] = -.infinity }
    let session = LanguageModelSession(model: model)
    await #expect(throws: GrammarError.forbidden) {
      try await session.streamResponse(to: "Say a.", decoding: options).collect()
    }
  }

  @Test("where there is no room for a value the response is an error, not garbage")
  func noRoom() async throws {
    await #expect(throws: LanguageModelSession.GenerationError.self) {
      try await session().respond(
        to: "Invent a person.", generating: Person.self,
        options: GenerationOptions(maximumResponseTokens: 5))
    }
    // A tree has an end however deep it would like to go.
    let tree = try await session().respond(
      to: "Write a large tree of numbers.", generating: Tree.self,
      options: GenerationOptions(sampling: .greedy, maximumResponseTokens: 60))
    #expect(tree.summary.responseTokens <= 60)
  }

  @Test("choosing compares the probabilities of whole responses")
  func choosing() async throws {
    let session = try session()
    let choice = try await session.choose(
      from: ["Berlin", "Paris", "Rome"], for: "What is the capital of France?")
    #expect(choice.text == "Paris")
    #expect(abs(choice.probabilities.reduce(0, +) - 1) < 1e-9)
    #expect(session.transcript.isEmpty)
    // The sum of what generation reports of the same tokens.
    let language = try Self.language.get()
    var options = DecodingOptions()
    options.sampling = .greedy
    options.logProbabilityCount = 0
    options.grammar = try language.tokenGrammar(Grammar(gbnf: #"root ::= "Paris""#))
    var sum = 0.0
    let prompt = try language.promptTokens([ChatMessage(.user, "What is the capital of France?")])
    var spelled: [Int] = []
    _ = try language.makeGenerator().generate(prompt, options: options) { token in
      sum += Double(token.logProbability ?? 0)
      spelled += token.id.map { [$0] } ?? []
    }
    if spelled == language.tokenizer.encode("Paris") {
      // Less the end of the response.
      #expect(choice.logProbabilities[1] < sum)
    }
    await #expect(throws: LanguageModelSession.GenerationError.self) {
      try await session.choose(from: [], for: "?")
    }
  }
}
