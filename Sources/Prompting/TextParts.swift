/// A text in parts that are short enough for a model, cut where it hurts least: between sentences,
/// where a sentence is too long between words, where a word is too long between characters.
///
/// The parts with what follows each are the text again.
public struct TextParts: Sendable, Equatable {
  /// A part of the text, and where it is.
  public struct Part: Sendable, Equatable {
    /// Without white space at its ends.
    public var text: String
    /// White space up to the next part.
    public var separator: String
  }

  /// White space before the first part.
  public let beginning: String
  /// The parts, in order.
  public let parts: [Part]

  /// - Parameters:
  ///   - limit: the most that `count` may say of a part, at least 1.
  ///   - joinsParagraphs: whether a part may reach over an empty line.
  ///   - count: of a text; tokens.
  public init(
    _ text: String, limit: Int, joinsParagraphs: Bool = true, count: (String) -> Int
  ) {
    let start = text.firstIndex { !$0.isWhitespace } ?? text.endIndex
    beginning = String(text[..<start])
    var parts: [Part] = []
    var size = 0
    for sentence in Self.pieces(text[start...], endsAfter: Self.endsSentence) {
      for piece in Self.cut(sentence, limit: limit, count: count) {
        let pieceSize = count(piece.text)
        let mayJoin =
          joinsParagraphs || !(parts.last?.separator.contains(where: \.isNewline) ?? false)
        if let last = parts.indices.last, size + pieceSize <= limit, mayJoin,
          // Sums of tokens are close, not exact.
          count(parts[last].text + parts[last].separator + piece.text) <= limit
        {
          parts[last].text += parts[last].separator + piece.text
          parts[last].separator = piece.separator
          size += pieceSize
        } else {
          parts.append(piece)
          size = pieceSize
        }
      }
    }
    self.parts = parts
  }

  /// `piece` where it is short enough, else its words, else halves of a word.
  private static func cut(_ piece: Part, limit: Int, count: (String) -> Int) -> [Part] {
    guard count(piece.text) > limit, piece.text.count > 1 else { return [piece] }
    var smaller = pieces(piece.text[...]) { _, _ in true }
    if smaller.count == 1 {
      let middle = piece.text.index(piece.text.startIndex, offsetBy: piece.text.count / 2)
      smaller = [
        Part(text: String(piece.text[..<middle]), separator: ""),
        Part(text: String(piece.text[middle...]), separator: ""),
      ]
    }
    smaller[smaller.count - 1].separator += piece.separator
    return smaller.flatMap { cut($0, limit: limit, count: count) }
  }

  /// Cuts at the white space before which `endsAfter` (the word, the white space) says so.
  private static func pieces(
    _ text: Substring, endsAfter: (Substring, Substring) -> Bool
  ) -> [Part] {
    var pieces: [Part] = []
    var start = text.startIndex
    var word = text.startIndex
    while word < text.endIndex {
      let end = text[word...].firstIndex(where: \.isWhitespace) ?? text.endIndex
      let next = text[end...].firstIndex { !$0.isWhitespace } ?? text.endIndex
      if next == text.endIndex || endsAfter(text[word..<end], text[end..<next]) {
        pieces.append(Part(text: String(text[start..<end]), separator: String(text[end..<next])))
        start = next
      }
      word = next
    }
    return pieces
  }

  /// Whether a sentence ends with `word`: a full stop, and the like, behind it perhaps quotation marks
  /// or brackets; or an empty line. An abbreviation costs a cut, no more.
  private static func endsSentence(_ word: Substring, _ space: Substring) -> Bool {
    if space.count(where: \.isNewline) > 1 { return true }
    let bare = word.reversed().drop { "\"'”’»)]".contains($0) }
    guard let last = bare.first else { return false }
    guard ".!?…。！？".contains(last) else { return false }
    // An initial, as in "J. Smith".
    return !(last == "." && bare.count == 2 && bare.last?.isUppercase == true)
  }
}
