import OrderedJSON
import TestSupport
import Testing

@testable import Grammars

@Suite("JSON Schemas", .enabled(if: RealModel.isPresent)) struct SchemaTests {
  private func schemas() throws -> [JSON] {
    let data = try Fixtures.data("schemas.json")
    guard case .array(let list) = try JSON(parsing: Array(data)) else { return [] }
    return list
  }

  /// A text that picks among the allowed tokens at random, as no model would.
  private func randomText(
    _ grammar: TokenGrammar, tokens: Int, _ random: inout SeededGenerator
  ) throws -> String {
    let trie = grammar.trie
    var matcher = try grammar.matcher()
    var bytes: [UInt8] = []
    var remaining = max(tokens, matcher.distance)
    while remaining > 0, !matcher.isComplete {
      if matcher.isAccepting, Int.random(in: 0..<4, using: &random) == 0 { break }
      let mask = try matcher.allowed(remaining: remaining)
      // The next one from anywhere on; a list of all would take longer than all the rest.
      let start = Int.random(in: 0..<trie.vocabularySize, using: &random)
      let next = (start..<trie.vocabularySize).first(where: mask.contains)
      let id = try #require(
        next ?? (0..<start).first(where: mask.contains), "nothing is allowed")
      let isAccepted = try matcher.accept(id)
      #expect(isAccepted)
      bytes += trie.spelling(of: id)
      remaining -= 1
    }
    #expect(matcher.isAccepting)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(
    "texts of 500 schemas are valid, whatever is chosen and however little room there is",
    .enabled(if: SchemaValidator.python != nil))
  func valid() async throws {
    let trie = try RealTokens.trie.get()
    var random = SeededGenerator(seed: 4)
    var cases: [(schema: String, text: String)] = []
    for schema in try schemas() {
      // Other tests wait for this thread.
      await Task.yield()
      let text = schema.text
      do {
        let grammar = try TokenGrammar(Grammar(jsonSchema: schema), trie)
        for tokens in [0, 60] {
          cases.append((text, try randomText(grammar, tokens: tokens, &random)))
        }
      } catch { Issue.record("\(error): \(text)") }
    }
    #expect(cases.count == 1000)
    let complaints = try SchemaValidator.complaints(cases)
    #expect(complaints.isEmpty, "\(complaints.prefix(10).joined(separator: "\n"))")
  }
}
