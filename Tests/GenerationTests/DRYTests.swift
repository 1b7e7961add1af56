import GGUF
import TestSupport
import Testing
import Tokenization

@testable import Generation

@Suite("DRY", .enabled(if: RealModel.isPresent))
struct DRYTests {
  private struct Golden: Decodable {
    struct Options: Decodable {
      let multiplier: Float
      let base: Float
      let allowedLength: Int
      let window: Int
      let breakers: [String]
    }
    let tokens: [Int]
    let options: Options
    let penalties: [String: Float]
  }

  @Test("penalties are llama.cpp's, of texts that repeat themselves")
  func goldens() throws {
    let tokenizer = try Tokenizer(GGUFFile(path: RealModel.path("Q4_0")))
    let goldens = try Fixtures.decode([Golden].self, "dry.json")
    #expect(goldens.count == 60)
    for golden in goldens {
      var options = SamplingOptions.DRY()
      options.multiplier = golden.options.multiplier
      options.base = golden.options.base
      options.allowedLength = golden.options.allowedLength
      options.window = golden.options.window < 0 ? nil : golden.options.window
      options.breakers = golden.options.breakers
      var penalty = try #require(DRYPenalty(options, tokenizer))
      for token in golden.tokens { penalty.accept(token) }
      var logits = [Float](repeating: 0, count: tokenizer.vocabularySize)
      logits.withUnsafeMutableBufferPointer { penalty.apply(to: $0) }
      var found: [String: Float] = [:]
      for (id, logit) in logits.enumerated() where logit != 0 { found["\(id)"] = -logit }
      #expect(Set(found.keys) == Set(golden.penalties.keys), "\(golden.tokens)")
      for (id, expected) in golden.penalties {
        #expect(abs(found[id, default: 0] - expected) <= expected * 1e-5)
      }
    }
  }

  @Test("a breaker that two tokens make breaks as well")
  func acrossTokens() throws {
    let tokenizer = try Tokenizer(GGUFFile(path: RealModel.path("Q4_0")))
    var options = SamplingOptions.DRY()
    options.multiplier = 1
    options.breakers = ["at on"]
    var penalty = try #require(DRYPenalty(options, tokenizer))
    let text = tokenizer.encode("The cat sat on the mat. The cat sat on")
    for token in text { penalty.accept(token) }
    var logits = [Float](repeating: 0, count: tokenizer.vocabularySize)
    logits.withUnsafeMutableBufferPointer { penalty.apply(to: $0) }
    #expect(logits.allSatisfy { $0 == 0 })
    options.breakers = []
    penalty = try #require(DRYPenalty(options, tokenizer))
    for token in text { penalty.accept(token) }
    logits.withUnsafeMutableBufferPointer { penalty.apply(to: $0) }
    #expect(logits.firstIndex { $0 < 0 } == tokenizer.encode(" the").first)
  }
}
