/// Notices that a text says the same over and over, word for word, as small models do.
struct LoopDetector {
  /// The longest stretch that is looked for, in tokens.
  private static let longestPeriod = 64
  /// How often it has to come again, and how many tokens that are at least.
  private static let leastRepeats = 3
  private static let leastTokens = 48

  private var tokens: [Int] = []
  /// For each distance, the newest tokens in a row that equal those so far before them.
  private var runs = [Int](repeating: 0, count: longestPeriod + 1)

  /// Takes the next token; true where the text has come to a loop.
  mutating func append(_ id: Int) -> Bool {
    tokens.append(id)
    var isLoop = false
    for period in 1...Self.longestPeriod where period < tokens.count {
      guard tokens[tokens.count - 1 - period] == id else {
        runs[period] = 0
        continue
      }
      runs[period] += 1
      if runs[period] >= max(Self.leastTokens, Self.leastRepeats * period) { isLoop = true }
    }
    return isLoop
  }
}
