import TestSupport
import Testing

@testable import Prompting

@Suite struct TextPartsTests {
  private func words(_ text: String) -> Int {
    text.split(whereSeparator: \.isWhitespace).count
  }

  private func joined(_ parts: TextParts) -> String {
    parts.beginning + parts.parts.map { $0.text + $0.separator }.joined()
  }

  @Test("sentences are kept whole, and as many as fit go together")
  func sentences() {
    let text = "One two three. Four five! Six \"seven?\" Eight nine ten eleven."
    let parts = TextParts(text, limit: 5, count: words)
    #expect(
      parts.parts.map(\.text) == [
        "One two three. Four five!", "Six \"seven?\"", "Eight nine ten eleven.",
      ])
    #expect(joined(parts) == text)
  }

  @Test("initials do not end a sentence; empty lines and other alphabets' full stops do")
  func ends() {
    func parts(_ text: String) -> [String] {
      TextParts(text, limit: 3, joinsParagraphs: false, count: words).parts.map(\.text)
    }
    #expect(parts("J. R. Smith left. He came.") == ["J. R. Smith", "left. He came."])
    #expect(parts("A title\n\nThe text") == ["A title", "The text"])
    #expect(parts("一 二。 三 四！ 五") == ["一 二。", "三 四！ 五"])
  }

  @Test("what has no end is cut between words, then between characters")
  func longPieces() {
    let words = TextParts("a b c d e f g", limit: 3, count: words)
    #expect(words.parts.map(\.text) == ["a b c", "d e f", "g"])
    let letters = TextParts("abcdefghij", limit: 4) { $0.count }
    #expect(letters.parts.allSatisfy { $0.text.count <= 4 })
    #expect(joined(letters) == "abcdefghij")
    #expect(TextParts("👨‍👩‍👧‍👦", limit: 1) { $0.utf8.count }.parts.map(\.text) == ["👨‍👩‍👧‍👦"])
    #expect(TextParts(" \n ", limit: 4, count: self.words).parts.isEmpty)
  }

  @Test("the parts of any text are the text again, and none is over the limit")
  func roundTrip() {
    var random = SeededGenerator(seed: 4)
    let alphabet = Array("ab. !\n\t?\"é日。😀")
    for _ in 0..<500 {
      let text = String(
        (0..<Int.random(in: 0..<60, using: &random)).map { _ in
          alphabet.randomElement(using: &random) ?? "a"
        })
      let limit = Int.random(in: 1...20, using: &random)
      for joinsParagraphs in [true, false] {
        let parts = TextParts(text, limit: limit, joinsParagraphs: joinsParagraphs) { $0.count }
        #expect(joined(parts) == text)
        #expect(parts.parts.allSatisfy { $0.text.count <= limit && !$0.text.isEmpty }, "\(parts)")
      }
    }
  }
}
