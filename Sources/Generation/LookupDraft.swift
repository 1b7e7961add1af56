/// Guesses how a text goes on from how it went on before: the tokens after the last occurrence of the newest
/// three or two, in prompt and reply ("prompt lookup decoding", Saxena 2023), and on from there for as long as
/// they are right.
///
/// Guesses are checked by the model, several in one pass over the weights, and only those that it would
/// have chosen itself are kept; a wrong guess costs time, never a different text. So it guesses no further than
/// it expects to be right, by how often it was in this text.
struct LookupDraft {
  /// With the token before them a tile of eight.
  static let longest = 7
  /// What checking one more token costs, in the time of a token computed alone (docs/performance.md).
  private static let cost = 0.26
  /// Longer runs are counted as this long.
  private static let longestRun = 8
  /// The weight of the newest token in a rate.
  private static let weight = 0.05

  private var history: [Int] = []
  /// Index after the last occurrence of two and of three tokens, by them.
  private var lastSeen: ([Int: Int], [Int: Int]) = ([:], [:])
  /// Where the text goes on that the newest tokens repeat, and how many of them do.
  private var source: Int?
  private var run = 0
  /// By the length of a run: how often the next token was that of the source.
  private var rates = (0...longestRun).map { min(0.92, 0.3 + 0.1 * Double($0)) }

  mutating func append(_ id: Int) {
    if let place = source {
      let isRight = history[place] == id
      let length = min(run, Self.longestRun)
      rates[length] += Self.weight * ((isRight ? 1 : 0) - rates[length])
      source = isRight ? place + 1 : nil
      run += 1
    }
    history.append(id)
    let end = history.count
    // Ids have at most 24 bits. Where keys collide a guess is poor, no more.
    if end >= 3 {
      let key = history[end - 3] << 42 ^ history[end - 2] << 21 ^ history[end - 1]
      follow(lastSeen.1.updateValue(end, forKey: key), 3)
    }
    if end >= 2 {
      let key = history[end - 2] << 24 ^ history[end - 1]
      follow(lastSeen.0.updateValue(end, forKey: key), 2)
    }
  }

  private mutating func follow(_ place: Int?, _ length: Int) {
    guard source == nil, let place else { return }
    source = place
    run = length
  }

  /// At most `limit` tokens that may come next.
  func guess(atMost limit: Int) -> ArraySlice<Int> {
    guard let source else { return [] }
    var count = 0
    var probability = 1.0
    while count < min(limit, Self.longest, history.count - source) {
      probability *= rates[min(run + count, Self.longestRun)]
      guard probability >= Self.cost else { break }
      count += 1
    }
    return history[source..<source + count]
  }
}
