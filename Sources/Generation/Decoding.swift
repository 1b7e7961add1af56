import Grammars
import Tokenization

/// Chooses tokens: what the model computes, what was guessed, and what the sampler makes of it.
struct Decoding {
  private(set) var guessed = 0
  private(set) var right = 0
  private var sampler: Sampler
  private var draft: LookupDraft?
  private let logProbabilityCount: Int?
  private var matcher: GrammarMatcher?
  /// Tokens that end a reply.
  private let endings: Set<Int>
  /// Tokens that the reply has room for.
  private var remaining: Int
  private var loops: LoopDetector?
  /// Whether the reply says the same over and over.
  private(set) var isLooping = false
  /// Chosen and not yet taken, in order; all but the last are in the cache.
  private var choices: [GeneratedChoice] = []
  private var taken = 0
  /// What was proposed after the last choice.
  private var guess: [Int] = []

  /// - Parameters:
  ///   - tokenizer: of the model; some of its tokens end a reply.
  ///   - room: tokens that the reply may have.
  /// - Throws: `GrammarError.tooLarge`.
  init(_ options: DecodingOptions, _ tokenizer: Tokenizer, room: Int) throws(GrammarError) {
    endings = tokenizer.endOfGeneration
    remaining = room
    matcher = try options.grammar?.matcher()
    loops = options.stopsLoops ? LoopDetector() : nil
    sampler = Sampler(options.sampling, tokenizer: tokenizer)
    draft = options.speculation == .automatic ? LookupDraft() : nil
    logProbabilityCount = options.logProbabilityCount
  }

  /// The next choice; nil where the prompt has not been read to its end.
  mutating func next() -> GeneratedChoice? {
    guard taken < choices.count else { return nil }
    defer { taken += 1 }
    return choices[taken]
  }

  /// Whether the grammar lets nothing follow what was chosen.
  var isComplete: Bool { matcher?.isComplete == true }

  /// Whether the reply ends with what was chosen: nothing may follow, or it has come to a loop that it may
  /// leave.
  private var isOver: Bool { isComplete || isLooping && isWhole }

  /// Whether what was chosen is a whole text of the grammar, or there is none.
  var isWhole: Bool { matcher?.isAccepting != false }

  /// How many there are that `next` has not returned yet.
  var choiceCount: Int { choices.count - taken }

  /// Whether something was chosen that `next` has not returned yet.
  var hasChoices: Bool { taken < choices.count }

  /// Reads a part of the prompt. After its end, `receive` is called with the logits of its last token.
  mutating func read(_ tokens: some Sequence<Int>) {
    for id in tokens { accept(id) }
    guess = []
  }

  /// Goes on from `id`, which is the last choice, after the text before it was read once more. After that,
  /// `receive` is called with the logits of `id`.
  mutating func restart(after id: Int) {
    accept(id)
    choices.removeAll(keepingCapacity: true)
    taken = 0
    guess = []
  }

  /// Goes on from `id`, which is the last choice.
  ///
  /// - Parameter limit: tokens that may be appended to the cache, at least 1.
  /// - Returns: the tokens to append: `id` and what is guessed to follow. `receive` is called with the
  ///   logits of each, in order, then `settle`.
  mutating func propose(_ id: Int, atMost limit: Int) -> [Int] {
    restart(after: id)
    guess = Array(draft?.guess(atMost: limit - 1) ?? [])
    return [id] + guess
  }

  /// Chooses what follows the token at `index` of those that were proposed, where the guesses before it
  /// were right.
  ///
  /// - Throws: `GrammarError.tooLarge`.
  mutating func receive(_ index: Int, _ logits: UnsafeMutableBufferPointer<Float>)
    throws(GrammarError)
  {
    if index > 0 {
      // Past a wrong guess, logits are those of another text.
      guard choices.count == index, choices[index - 1].id == guess[index - 1] else { return }
      accept(guess[index - 1])
      guard !isOver else { return }
    }
    choices.append(try choose(logits))
  }

  /// - Returns: how many of the proposed tokens were guessed wrong, and are to be forgotten.
  mutating func settle() -> Int {
    guard !guess.isEmpty else { return 0 }
    let agreed = choices.count - 1
    guessed += guess.count
    right += agreed
    return guess.count - agreed
  }

  private mutating func accept(_ id: Int) {
    sampler.accept(id)
    draft?.append(id)
  }

  private mutating func choose(_ logits: UnsafeMutableBufferPointer<Float>) throws(GrammarError)
    -> GeneratedChoice
  {
    guard let wanted = logProbabilityCount else {
      return GeneratedChoice(id: try sample(logits), logProbability: nil, likeliest: [])
    }
    let normalizer = logits.logSumExp
    let likeliest = Sampler.top(max(1, wanted), of: logits).prefix(wanted).map {
      GeneratedToken.Alternative(id: $0.id, logProbability: $0.logit - normalizer)
    }
    let before = Array(logits)
    let id = try sample(logits)
    return GeneratedChoice(
      id: id, logProbability: before[id] - normalizer, likeliest: Array(likeliest))
  }

  /// Chooses among the tokens that the grammar allows.
  ///
  /// - Throws: `GrammarError.tooLarge`; `.forbidden` where biases leave none of them.
  private mutating func sample(_ logits: UnsafeMutableBufferPointer<Float>) throws(GrammarError)
    -> Int
  {
    if let matcher {
      let mask = try matcher.allowed(remaining: isLooping ? matcher.distance : remaining)
      mask.apply(to: logits, keeping: matcher.isAccepting ? endings : [])
    }
    let id = sampler.sample(logits)
    remaining -= 1
    // Biases may leave nothing of what the grammar allows.
    let isAllowed =
      endings.contains(id) ? matcher?.isAccepting != false : try matcher?.accept(id) != false
    guard isAllowed else { throw .forbidden }
    if loops?.append(id) == true { isLooping = true }
    return id
  }
}

/// A token that was chosen and not yet said.
struct GeneratedChoice {
  let id: Int
  let logProbability: Float?
  let likeliest: [GeneratedToken.Alternative]
}
