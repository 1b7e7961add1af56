#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Chooses tokens: what the model computes, what was guessed, and what the sampler makes of it.
struct Decoding {
  private(set) var guessed = 0
  private(set) var right = 0
  private var sampler: Sampler
  private var draft: LookupDraft?
  private let logProbabilityCount: Int?
  /// Chosen and not yet taken, in order; all but the last are in the cache.
  private var choices: [GeneratedChoice] = []
  private var taken = 0
  /// What was proposed after the last choice.
  private var guess: [Int] = []

  init(_ options: DecodingOptions) {
    sampler = Sampler(options.sampling)
    draft = options.speculation == .automatic ? LookupDraft() : nil
    logProbabilityCount = options.logProbabilityCount
  }

  /// The next choice; nil where the prompt has not been read to its end.
  mutating func next() -> GeneratedChoice? {
    guard taken < choices.count else { return nil }
    defer { taken += 1 }
    return choices[taken]
  }

  /// Whether something was chosen that `next` has not returned yet.
  var hasChoices: Bool { taken < choices.count }

  /// Reads a part of the prompt. After its end, `receive` is called with the logits of its last token.
  mutating func read(_ tokens: some Sequence<Int>) {
    for id in tokens { accept(id) }
    guess = []
  }

  /// Goes on from `id`, which is the last choice.
  ///
  /// - Parameter limit: tokens that may be appended to the cache, at least 1.
  /// - Returns: the tokens to append: `id` and what is guessed to follow. `receive` is called with the
  ///   logits of each, in order, then `settle`.
  mutating func propose(_ id: Int, atMost limit: Int) -> [Int] {
    accept(id)
    choices.removeAll(keepingCapacity: true)
    taken = 0
    guess = Array(draft?.guess(atMost: limit - 1) ?? [])
    return [id] + guess
  }

  /// Chooses what follows the token at `index` of those that were proposed, where the guesses before it
  /// were right.
  mutating func receive(_ index: Int, _ logits: UnsafeMutableBufferPointer<Float>) {
    if index > 0 {
      // Past a wrong guess, logits are those of another text.
      guard choices.count == index, choices[index - 1].id == guess[index - 1] else { return }
      accept(guess[index - 1])
    }
    choices.append(choose(logits))
  }

  /// - Returns: how many of the proposed tokens were guessed wrong, and are to be forgotten.
  mutating func settle() -> Int {
    guard !guess.isEmpty else { return 0 }
    let agreed = choices.count - 1
    draft?.learn(guessed: guess.count, right: agreed)
    guessed += guess.count
    right += agreed
    return guess.count - agreed
  }

  private mutating func accept(_ id: Int) {
    sampler.accept(id)
    draft?.append(id)
  }

  private mutating func choose(_ logits: UnsafeMutableBufferPointer<Float>) -> GeneratedChoice {
    guard let wanted = logProbabilityCount else {
      return GeneratedChoice(id: sampler.sample(logits), logProbability: nil, likeliest: [])
    }
    let normalizer = logSumExp(logits)
    let likeliest = Sampler.top(max(1, wanted), of: logits).prefix(wanted).map {
      GeneratedToken.Alternative(id: $0.id, logProbability: $0.logit - normalizer)
    }
    let before = Array(logits)
    let id = sampler.sample(logits)
    return GeneratedChoice(
      id: id, logProbability: before[id] - normalizer, likeliest: Array(likeliest))
  }
}

/// A token that was chosen and not yet said.
struct GeneratedChoice {
  let id: Int
  let logProbability: Float?
  let likeliest: [GeneratedToken.Alternative]
}

/// log(sum of e^logit), summed in float64.
package func logSumExp(_ logits: UnsafeMutableBufferPointer<Float>) -> Float {
  let peak = logits.max() ?? 0
  let sum = logits.reduce(0.0) { $0 + exp(Double($1 - peak)) }
  return peak + Float(log(sum))
}
