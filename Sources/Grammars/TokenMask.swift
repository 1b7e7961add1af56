/// A set of tokens.
public struct TokenMask: Equatable, Sendable {
  /// A bit for each token.
  private(set) var words: [UInt64]
  /// Tokens of the model.
  public let vocabularySize: Int

  init(vocabularySize: Int) {
    self.vocabularySize = vocabularySize
    words = [UInt64](repeating: 0, count: (vocabularySize + 63) / 64)
  }

  /// Whether token `id` is in the set.
  public func contains(_ id: Int) -> Bool {
    id >= 0 && id < vocabularySize && words[id >> 6] >> UInt64(id & 63) & 1 == 1
  }

  /// Whether no token is in the set.
  public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  /// How many there are.
  public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  mutating func insert(_ id: Int) { words[id >> 6] |= 1 << UInt64(id & 63) }

  mutating func formUnion(_ other: TokenMask) {
    for index in words.indices { words[index] |= other.words[index] }
  }

  /// Sets the logits of all tokens that are not in the set, and not in `also`, to minus infinity.
  ///
  /// - Parameter logits: [vocabulary].
  public func apply(
    to logits: UnsafeMutableBufferPointer<Float>, keeping also: some Sequence<Int>
  ) {
    let kept = also.filter(logits.indices.contains).map { (id: $0, logit: logits[$0]) }
    for (index, word) in words.enumerated() where word != .max {
      let first = index * 64
      let end = min(first + 64, logits.count)
      guard first < end else { break }
      if word == 0 {
        logits[first..<end].update(repeating: -.infinity)
        continue
      }
      var absent = ~word
      while absent != 0 {
        let id = first + absent.trailingZeroBitCount
        if id < end { logits[id] = -.infinity }
        absent &= absent - 1
      }
    }
    for (id, logit) in kept { logits[id] = logit }
  }
}
