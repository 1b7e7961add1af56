import Foundation
import Swiftlet
import TestSupport
import Testing

@Suite struct PerplexityTests {
  /// What float64 numpy finds (`Fixtures/make_perplexity.py`).
  private struct Golden: Decodable {
    let context: Int
    let chunks: Int
    let tokens: Int
    let perplexity: Double
    let divergence: Double
  }

  private func measure(_ path: MatmulPath) throws -> (Perplexity.Result, Golden) {
    let golden = try Fixtures.decode(Golden.self, "perplexity.json")
    var options = LoadingOptions()
    options.matmulPath = path
    let model = try LanguageModel(path: RealModel.path("Q4_0"), options: options)
    options.matmulPath = .openblas
    let reference = try LanguageModel(path: RealModel.path("Q4_1"), options: options)
    let license = Fixtures.root.appendingPathComponent("LICENSE")
    let tokens = model.promptTokens(raw: try String(contentsOf: license, encoding: .utf8))
    var perplexity = Perplexity()
    perplexity.contextLength = golden.context
    perplexity.chunks = golden.chunks
    return (try perplexity.run(model, tokens, reference: reference), golden)
  }

  @Test(
    "the exact path finds numpy's perplexity and divergence; the fast one is near",
    .enabled(if: RealModel.isPresent))
  func realModel() throws {
    let (exact, golden) = try measure(.openblas)
    #expect(exact.tokens == golden.tokens && exact.chunks == golden.chunks)
    #expect(abs(exact.value / golden.perplexity - 1) < 1e-4, "\(exact.value)")
    let divergence = try #require(exact.divergence)
    #expect(abs(divergence.mean / golden.divergence - 1) < 1e-3, "\(divergence.mean)")
    let (fast, _) = try measure(.native)
    #expect(abs(fast.value / golden.perplexity - 1) < 0.01, "\(fast.value)")
  }

  @Test("a model does not diverge from itself; short texts and long contexts are refused")
  func edges() throws {
    let model = try LanguageModel(path: Fixtures.path("tiny-f32.gguf"))
    var perplexity = Perplexity()
    perplexity.contextLength = 32
    let tokens = (0..<200).map { ($0 * 7) % 40 }
    let result = try perplexity.run(model, tokens, reference: model)
    #expect(result.chunks == 6 && result.tokens == 6 * 15)
    #expect(result.divergence?.mean == 0 && result.divergence?.sameTop == 1)
    #expect(result.divergence?.referencePerplexity == result.value)
    #expect(throws: Perplexity.Fault.tooShort(tokens: 63, needed: 64)) {
      try perplexity.run(model, Array(tokens.prefix(63)))
    }
    #expect(throws: CancellationError.self) {
      try perplexity.run(model, tokens) { _, _, _ in false }
    }
    perplexity.contextLength = 1 << 20
    #expect(throws: Perplexity.Fault.tooLong(chunk: 1 << 20, context: 640)) {
      try perplexity.run(model, tokens)
    }
  }

  @Test("the command prints the contract's fields, and says what is wrong with a text")
  func command() throws {
    let model = Fixtures.path("tiny-q4_0.gguf")
    let text = String(repeating: "abcabdef", count: 40)
    let result = try BuiltCommand.run(
      ["perplexity", "-m", model, "-c", "16", "--json", "--reference", model], input: text)
    #expect(result.status == 0, "\(result)")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    for key in ["perplexity", "tokens", "nll", "chunks", "context", "kl_divergence"] {
      #expect(object[key] != nil, "\(key)")
    }
    #expect(result.errors.contains("chunk 1 of"))
    let short = try BuiltCommand.run(["perplexity", "-m", model], input: "abc")
    #expect(short.status == 1 && short.errors.contains("two chunks of the context"))
  }
}
