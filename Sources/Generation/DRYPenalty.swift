import Tokenization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Makes tokens less likely that would go on with something that was said before, the more the longer it
/// already is: "don't repeat yourself" (Weidmann 2024, text-generation-webui pull request 5677).
struct DRYPenalty: Sendable {
  private let options: SamplingOptions.DRY
  private let breakers: [[UInt8]]
  private let tokenizer: Tokenizer?
  /// The tokens so far, as far as the window.
  private var tokens: [Int] = []
  /// How many there are after the newest breaker.
  private var sinceBreaker = 0
  /// The last bytes, in which a breaker may have begun.
  private var tail: [UInt8] = []

  /// nil where the options penalize nothing.
  init?(_ options: SamplingOptions.DRY, _ tokenizer: Tokenizer?) {
    guard options.multiplier != 0, options.base >= 1, options.window != 0 else { return nil }
    self.options = options
    self.tokenizer = tokenizer
    breakers = options.breakers.map { Array($0.utf8) }.filter { !$0.isEmpty }
  }

  mutating func accept(_ id: Int) {
    if tokens.count == options.window { tokens.removeFirst() }
    tokens.append(id)
    sinceBreaker += 1
    guard let tokenizer, let longest = breakers.map(\.count).max() else { return }
    tail += tokenizer.bytes(of: id)
    if breakers.contains(where: { tail.contains($0) }) {
      sinceBreaker = 0
      tail = []
    } else {
      tail = tail.suffix(longest - 1)
    }
  }

  func apply(to logits: UnsafeMutableBufferPointer<Float>) {
    for (id, length) in repetitions() where logits.indices.contains(id) && !isBreaker(id) {
      let penalty =
        options.multiplier * powf(options.base, Float(length) - Float(options.allowedLength))
      // Finite, so that what alone may come still comes.
      logits[id] -= min(penalty, 1e30)
    }
  }

  private func isBreaker(_ id: Int) -> Bool {
    guard let bytes = tokenizer?.bytes(of: id) else { return false }
    return breakers.contains { bytes.contains($0) }
  }

  /// Of each token that followed what the text ends with, the length of that, where it is at least the
  /// allowed one.
  private func repetitions() -> [Int: Int] {
    let newestFirst = Array(tokens.reversed())
    var lengths: [Int: Int] = [:]
    for (distance, shared) in commonPrefixLengths(newestFirst).enumerated().dropFirst() {
      let length = min(shared, sinceBreaker)
      guard length >= options.allowedLength else { continue }
      lengths[newestFirst[distance - 1], default: 0] = max(
        length, lengths[newestFirst[distance - 1], default: 0])
    }
    return lengths
  }
}

/// For each index, how much of what starts there equals the beginning (Gusfield 1997, "Algorithms on
/// Strings, Trees and Sequences", 1.4: the Z algorithm, in linear time).
private func commonPrefixLengths(_ values: [Int]) -> [Int] {
  var lengths = [Int](repeating: values.count, count: values.count)
  // The stretch that is known to equal the beginning and reaches farthest.
  var known = 0..<0
  for start in values.indices.dropFirst() {
    var length =
      start < known.upperBound
      ? min(lengths[start - known.lowerBound], known.upperBound - start) : 0
    while start + length < values.count, values[length] == values[start + length] { length += 1 }
    lengths[start] = length
    if start + length > known.upperBound { known = start..<start + length }
  }
  return lengths
}
