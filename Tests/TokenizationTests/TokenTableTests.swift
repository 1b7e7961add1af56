import Foundation
import GGUF
import Testing

@testable import Tokenization

/// Tokenizers of a few tokens: what the real model's tables do not show.
@Suite struct TokenTableTests {
  private static let letters = ["a", "b", "c", "Ġ", "ab", "Ġa", "abc", "cab"]

  private func file(
    _ pre: String, _ tokens: [String] = letters, types: [Int]? = nil,
    merges: [String] = ["a b", "Ġ a", "ab c"]
  ) throws -> GGUFFile {
    var writer = GGUFWriter()
    try writer.set("tokenizer.ggml.model", .string("gpt2"))
    try writer.set("tokenizer.ggml.pre", .string(pre))
    try writer.set("tokenizer.ggml.tokens", .array(MetadataArray(strings: tokens)))
    if let types {
      try writer.set(
        "tokenizer.ggml.token_type", .array(MetadataArray(integers: types.map(Int32.init))))
    }
    try writer.set("tokenizer.ggml.merges", .array(MetadataArray(strings: merges)))
    return try GGUFFile(contents: writer.header())
  }

  @Test("a file that calls letters, merges or words control tokens cannot make text one")
  func controlLetters() throws {
    // 3 is control: of "b", of "ab", which a merge would join, and of "cab", a whole piece.
    for pre in ["default", "llama-bpe"] {
      let tokenizer = try Tokenizer(file(pre, types: [1, 3, 1, 1, 1, 1, 1, 1]))
      // "abc" is a token as it stands, which llama-bpe takes whole.
      #expect(tokenizer.encode("abc") == (pre == "default" ? [0, 2] : [6]))
      let joined = try Tokenizer(file(pre, types: [1, 1, 1, 1, 3, 1, 1, 3]))
      #expect(
        joined.encode("abc cab") == (pre == "default" ? [0, 1, 2, 3, 2, 0, 1] : [6, 3, 2, 0, 1]))
      #expect(joined.encode("cab") == [2, 0, 1])
      #expect(joined.encode("cab", controlTokens: .parsed) == [7])
    }
  }

  @Test("llama-bpe takes a piece that is a token whole; default is gpt-2's pattern")
  func wholePieces() throws {
    // No merge leads to "cab".
    #expect(try Tokenizer(file("llama-bpe")).encode("cab") == [7])
    #expect(try Tokenizer(file("default")).encode("cab") == [2, 4])
    #expect(try Tokenizer(file("gpt-2")).encode("cab") == [2, 4])
    let tokenizer = try Tokenizer(file("default"))
    #expect(tokenizer.id(spelled: "Ġa") == 5 && tokenizer.id(spelled: "x") == nil)
    #expect(tokenizer.spelling(of: -1).isEmpty && tokenizer.spelling(of: 8).isEmpty)
    #expect(tokenizer.missingBytes.count == 252)
  }

  @Test("the long s, letters of the newest Unicode, and marks after a space")
  func oddCharacters() {
    func pieces(_ text: String, _ pre: PreTokenizer) -> [String] {
      let scalars = Array(text.unicodeScalars)
      var result: [String] = []
      pre.forEachPiece(scalars) { range in
        var piece = String.UnicodeScalarView()
        piece.append(contentsOf: scalars[range])
        result.append(String(piece))
      }
      return result
    }
    // (?i:'s) of Rust's and Oniguruma's regex matches U+017F as well.
    #expect(pieces("it'\u{17F}x", .llama3) == ["it", "'\u{17F}", "x"])
    #expect(pieces("a !!\n\nb", .llama3) == ["a", " !!\n\n", "b"])
    #expect(pieces("!!\n", .llama3) == ["!!\n"])
    // A letter of Unicode 17 (Tolong Siki, U+11DB0): unassigned in the reference's tables of 16.
    let young = "\u{11DB0}"
    let isKnown = young.unicodeScalars.allSatisfy { $0.properties.age != nil }
    if isKnown { #expect(pieces("a" + young, .gpt2) == ["a", young]) }
  }

  @Test("odd tables are named: without tokens, without types, with merges of three parts")
  func oddities() throws {
    #expect(Tokenizer.oddities(try GGUFFile(contents: GGUFWriter().header())).isEmpty)
    let found = Tokenizer.oddities(
      try file("default", ["a", "a", "", "b"], merges: ["a b", "a b", "a b c"]))
    let said = found.map(\.description).joined(separator: "\n")
    #expect(said.contains("text of token 0") && said.contains("which is empty"), "\(said)")
  }
}
