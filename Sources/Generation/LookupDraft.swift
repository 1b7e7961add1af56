/// Guesses how a text goes on from how it went on before: the tokens after the last occurrence of the
/// three newest ones, in prompt and reply ("prompt lookup decoding", Saxena 2023).
///
/// Guesses are checked by the model, several in one pass over the weights, and only those that it would
/// have chosen itself are kept; a wrong guess costs time, never a different text.
struct LookupDraft {
  /// With the token before them a tile of eight, which costs little more than one token.
  static let longest = 7
  /// Tokens for which nothing is guessed after guesses went wrong.
  private static let rest = 24

  private var history: [Int] = []
  /// Index after the last occurrence of three tokens, by the three.
  private var lastSeen: [Int: Int] = [:]
  /// Where the text after an earlier occurrence of the newest three begins.
  private var candidate: Int?
  private var length = 3
  private var pause = 0

  mutating func append(_ id: Int) {
    history.append(id)
    pause = max(0, pause - 1)
    candidate = nil
    guard history.count >= 3 else { return }
    // Ids have at most 24 bits. Where keys collide a guess is poor, no more.
    let end = history.count
    let key = history[end - 3] << 42 ^ history[end - 2] << 21 ^ history[end - 1]
    candidate = lastSeen.updateValue(end, forKey: key)
  }

  /// At most `limit` tokens that may come next.
  func guess(atMost limit: Int) -> ArraySlice<Int> {
    guard pause == 0, let candidate, limit > 0 else { return [] }
    return history[candidate...].prefix(min(length, limit))
  }

  /// Tells how many of `guessed` tokens were right.
  mutating func learn(guessed: Int, right: Int) {
    if right == guessed {
      length = min(Self.longest, length + 2)
    } else {
      length = max(2, right + 1)
      if right * 2 < guessed { pause = Self.rest }
    }
  }
}
