import Foundation
import GGUF
import TestSupport
import Testing
import Tokenization

@testable import Grammars

/// The tokens of the real model.
enum RealTokens {
  static let trie = Result {
    TokenTrie(try Tokenizer(GGUFFile(path: RealModel.path("Q4_0"))))
  }
}

@Suite("Masks of tokens", .enabled(if: RealModel.isPresent))
struct MaskTests {
  private struct Golden: Decodable {
    struct Step: Decodable {
      let ends: Bool
      let count: Int
      let hash: String
      let next: Int?
    }
    let name: String
    let grammar: String
    let walks: [[Step]]
  }

  /// Whether `Fixtures/make_grammar_masks.py` counts a token: without NUL, and of whole characters.
  private func isCounted(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, first != 0 else { return false }
    // Continuation bytes at the end, and how many the byte before them asks for.
    let tail = bytes.reversed().prefix { $0 & 0xC0 == 0x80 }.count
    guard tail < bytes.count else { return false }
    let lead = bytes[bytes.endIndex - 1 - tail]
    return lead < 0x80 ? tail == 0 : tail == (lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3)
  }

  /// FNV-1a, as `Fixtures/make_grammar_masks.py` has it.
  private func hash(_ ids: [Int]) -> String {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for id in ids {
      for shift in [0, 8, 16, 24] {
        value = (value ^ UInt64(id >> shift & 0xFF)) &* 0x100_0000_01B3
      }
    }
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }

  @Test("1,200 states allow the tokens that llama.cpp allows")
  func llamaCpp() throws {
    let trie = try RealTokens.trie.get()
    let counted = (0..<trie.vocabularySize).filter { isCounted(trie.spelling(of: $0)) }
    var count = 0
    for golden in try Fixtures.decode([Golden].self, "grammar-masks.json") {
      let grammar = try TokenGrammar(Grammar(gbnf: golden.grammar), trie)
      for (walk, steps) in golden.walks.enumerated() {
        var matcher = try grammar.matcher()
        for (index, step) in steps.enumerated() {
          let mask = try matcher.allowed()
          let place: Comment = "\(golden.name), walk \(walk), step \(index)"
          #expect(matcher.isAccepting == step.ends, place)
          let ids = counted.filter(mask.contains)
          #expect(ids.count == step.count, place)
          #expect(hash(ids) == step.hash, place)
          count += 1
          if let next = step.next {
            let isAccepted = try matcher.accept(next)
            #expect(isAccepted, place)
          }
        }
      }
    }
    #expect(count >= 1000)
  }

  @Test("A token that ends within a character may come where one of its characters may")
  func partialCharacters() throws {
    let trie = try RealTokens.trie.get()
    let grammar = try TokenGrammar(Grammar(gbnf: #"root ::= [^\u2028\u0085]{1,2} "x""#), trie)
    let beginnings: [[UInt8]] = [[0xE2, 0x80], [0xC2], [0xE2], [0x20, 0xC2], [0]]
    let mask = try grammar.matcher().allowed()
    for id in 0..<trie.vocabularySize {
      let spelling = Array(trie.spelling(of: id))
      if beginnings.contains(spelling) { #expect(mask.contains(id), "\(spelling)") }
    }
    // The only end of E2 80 here is A8.
    let other = try TokenGrammar(Grammar(gbnf: #"root ::= "\u2028" "x""#), trie)
    var matcher = try other.matcher()
    let first = try #require(
      (0..<trie.vocabularySize).first { trie.spelling(of: $0).elementsEqual([0xE2, 0x80]) })
    let isAccepted = try matcher.accept(first)
    #expect(isAccepted)
    let next = try matcher.allowed()
    let spellings = (0..<trie.vocabularySize).filter(next.contains).map {
      Array(trie.spelling(of: $0))
    }
    #expect(spellings == [[0xA8]])
  }
}
