import Foundation
import Swiftlet
import TestSupport
import Testing

/// What small models need besides: embeddings, biases, an end to loops.
@Suite(.enabled(if: RealModel.isPresent)) struct ExtrasTests {
  private static let language = Result { try LanguageModel(path: RealModel.path("Q4_0")) }

  private struct Embedding: Decodable {
    let text: String
    let vector: [Float]
  }

  private func dot(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

  @Test("embeddings point where llama.cpp's do, and near what is alike")
  func embeddings() async throws {
    let language = try Self.language.get()
    var vectors: [[Float]] = []
    for golden in try Fixtures.decode([Embedding].self, "embeddings.json") {
      let vector = try await language.embedding(of: golden.text)
      #expect(abs(dot(vector, vector) - 1) < 1e-4)
      #expect(dot(vector, golden.vector) > 0.999, "\(golden.text)")
      vectors.append(vector)
    }
    #expect(dot(vectors[0], vectors[1]) > dot(vectors[0], vectors[2]))
    await #expect(throws: GenerationError.emptyPrompt) { try await language.embedding(of: "") }
  }

  private func reply(_ prompt: String, _ options: DecodingOptions) throws -> (
    text: String, summary: GenerationSummary
  ) {
    let language = try Self.language.get()
    var text = ""
    let ids = try language.promptTokens([ChatMessage(.user, prompt)])
    let summary = try language.makeGenerator().generate(ids, options: options) { text += $0.text }
    return (text, summary)
  }

  @Test("a bias forbids a token, or brings it about")
  func logitBias() throws {
    var options = DecodingOptions()
    options.sampling = .greedy
    options.maximumResponseTokens = 8
    let tokenizer = try Self.language.get().tokenizer
    let usual = try reply("What is the capital of France?", options).text
    let paris = try #require(tokenizer.encode(" Paris").first)
    #expect(usual.contains(" Paris"))
    options.sampling.logitBias = [paris: -.infinity]
    #expect(try !reply("What is the capital of France?", options).text.contains(" Paris"))
    options.sampling.logitBias = [paris: 1000]
    #expect(
      try reply("What is the capital of France?", options).text
        == String(repeating: " Paris", count: 8))
  }

  @Test("a reply that goes round in circles ends, with the same text with guesses and without")
  func loops() throws {
    var options = DecodingOptions()
    options.sampling = .greedy
    options.maximumResponseTokens = 400
    let tokenizer = try Self.language.get().tokenizer
    let word = try #require(tokenizer.encode(" Paris").first)
    options.sampling.logitBias = [word: 1000]
    #expect(try reply("Hello", options).summary.responseTokens == 400)
    options.stopsLoops = true
    var texts: [String] = []
    for speculation in DecodingOptions.Speculation.allCases {
      options.speculation = speculation
      let (text, summary) = try reply("Hello", options)
      #expect(summary.finishReason == .repetition)
      #expect(summary.responseTokens < 80)
      texts.append(text)
    }
    #expect(texts[0] == texts[1])
    // A reply that does not loop is left alone.
    options.sampling.logitBias = [:]
    options.maximumResponseTokens = 60
    #expect(
      try reply("What is the capital of France?", options).summary.finishReason != .repetition)
  }

  @Test("a context that is full shifts: the text goes on as from what is left of it")
  func contextShift() async throws {
    var loading = LoadingOptions()
    loading.contextLength = 96
    let language = try LanguageModel(path: RealModel.path("Q4_0"), options: loading)
    var options = DecodingOptions()
    options.sampling = .greedy
    options.maximumResponseTokens = 150
    options.sampling.logitBias = Dictionary(
      uniqueKeysWithValues: language.tokenizer.endOfGeneration.map { ($0, -.infinity) })
    options.contextShift = 10
    let prompt = language.promptTokens(
      raw: "Once upon a time there was a king who had three daughters.")
    var shifted: [Int] = []
    let summary = try language.makeGenerator().generate(prompt, options: options) { token in
      shifted += token.id.map { [$0] } ?? []
    }
    #expect(summary.finishReason == .length && shifted.count == 150)
    // What the same tokens lead to when they are a prompt, shift by shift.
    var context = prompt
    var expected: [Int] = []
    options.contextShift = nil
    while expected.count < 150 {
      options.maximumResponseTokens = 150 - expected.count
      var part: [Int] = []
      _ = try language.makeGenerator().generate(context, options: options) { token in
        part += token.id.map { [$0] } ?? []
      }
      expected += part
      context += part
      context = Array(context.prefix(10) + context.suffix((96 - 10) / 2))
    }
    #expect(shifted == expected)

    let session = LanguageModelSession(
      model: language, instructions: "Tell stories.", contextOverflow: .shift)
    let story = try await session.respond(
      to: "Tell me about a long journey.",
      options: GenerationOptions(sampling: .greedy, maximumResponseTokens: 120))
    #expect(story.finishReason != .context)
    let next = try await session.respond(
      to: "And then?", options: GenerationOptions(sampling: .greedy, maximumResponseTokens: 20))
    #expect(next.droppedTurns == 1)
  }
}
