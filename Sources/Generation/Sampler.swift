import Tokenization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Chooses tokens by `SamplingOptions` (llama.cpp `common/sampling.cpp`, `src/llama-sampler.cpp`).
public struct Sampler: Sendable {
  /// A token that may still be chosen. Candidates are kept from the likeliest down.
  struct Candidate {
    let id: Int
    var logit: Float
  }

  /// How tokens are chosen.
  public let options: SamplingOptions
  private var random: MersenneTwister
  /// The last tokens, prompt included, as far as penalties look.
  private var recent: [Int] = []
  private var dry: DRYPenalty?

  /// A sampler that has seen no token.
  ///
  /// - Parameter tokenizer: spells tokens for `SamplingOptions.dry`; without one, nothing breaks repetitions.
  public init(_ options: SamplingOptions, tokenizer: Tokenizer? = nil) {
    self.options = options
    dry = DRYPenalty(options.dry, tokenizer)
    random = MersenneTwister(seed: options.seed ?? UInt32.random(in: 0...UInt32.max))
  }

  /// Tells the sampler of a token that was said, by the prompt or by the model.
  public mutating func accept(_ id: Int) {
    dry?.accept(id)
    guard options.penaltyWindow > 0 else { return }
    if recent.count == options.penaltyWindow { recent.removeFirst() }
    recent.append(id)
  }

  /// Chooses the next token.
  ///
  /// - Parameter logits: [vocabulary], finite; penalties change it.
  public mutating func sample(_ logits: UnsafeMutableBufferPointer<Float>) -> Int {
    for (id, bias) in options.logitBias where logits.indices.contains(id) { logits[id] += bias }
    penalize(logits)
    dry?.apply(to: logits)
    guard options.temperature > 0 else { return logits.likeliest }
    var candidates: [Candidate]
    if let nucleus = nucleus(of: logits) {
      candidates = nucleus
    } else {
      candidates = Self.top(options.topK, of: logits)
      applyTypical(&candidates)
      applyTopP(&candidates)
    }
    applyMinP(&candidates)
    return draw(candidates)
  }

  /// Candidates by top-p alone, without sorting the vocabulary; nil where other options count, or it takes
  /// many of them.
  private func nucleus(of logits: UnsafeMutableBufferPointer<Float>) -> [Candidate]? {
    guard options.topK == 0, options.topP < 1, options.typicalP == 1 else { return nil }
    let head = Self.top(256, of: logits)
    guard let peak = head.first?.logit else { return nil }
    let total = logits.reduce(0.0) { $0 + Double(expf($1 - peak)) }
    var sum = 0.0
    for (index, candidate) in head.enumerated() {
      sum += Double(expf(candidate.logit - peak))
      if sum >= Double(options.topP) * total { return Array(head[...index]) }
    }
    return nil
  }

  private func penalize(_ logits: UnsafeMutableBufferPointer<Float>) {
    guard
      options.repeatPenalty != 1 || options.frequencyPenalty != 0 || options.presencePenalty != 0
    else { return }
    var counts: [Int: Int] = [:]
    for id in recent where logits.indices.contains(id) { counts[id, default: 0] += 1 }
    for (id, count) in counts {
      let logit = logits[id]
      let scaled = logit <= 0 ? logit * options.repeatPenalty : logit / options.repeatPenalty
      logits[id] = scaled - Float(count) * options.frequencyPenalty - options.presencePenalty
    }
  }

  /// The `count` likeliest, best first; all of them where `count` is 0. Equals by id. Without those that may
  /// not come, whose logits are minus infinity.
  static func top(_ count: Int, of logits: UnsafeMutableBufferPointer<Float>) -> [Candidate] {
    func before(_ a: Candidate, _ b: Candidate) -> Bool {
      a.logit != b.logit ? a.logit > b.logit : a.id < b.id
    }
    guard count > 0, count < logits.count else {
      return logits.indices.lazy.filter { logits[$0] > -.infinity }
        .map { Candidate(id: $0, logit: logits[$0]) }.sorted(by: before)
    }
    // The best so far, in order. Few of the vocabulary get past the worst of them.
    var best: [Candidate] = []
    best.reserveCapacity(count + 1)
    for id in logits.indices where logits[id] > -.infinity {
      let candidate = Candidate(id: id, logit: logits[id])
      if best.count == count, let worst = best.last, !before(candidate, worst) { continue }
      var low = 0
      var high = best.count
      while low < high {
        let middle = (low + high) / 2
        if before(best[middle], candidate) { low = middle + 1 } else { high = middle }
      }
      best.insert(candidate, at: low)
      if best.count > count { best.removeLast() }
    }
    return best
  }

  /// Probabilities of the candidates, which sum to 1.
  static func probabilities(_ candidates: [Candidate]) -> [Float] {
    let peak = candidates.map(\.logit).max() ?? 0
    let weights = candidates.map { expf($0.logit - peak) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  private func applyTypical(_ candidates: inout [Candidate]) {
    guard options.typicalP < 1 else { return }
    let p = Self.probabilities(candidates)
    let entropy = -p.reduce(Float(0)) { $1 > 0 ? $0 + $1 * logf($1) : $0 }
    let order = p.indices.sorted { abs(-logf(p[$0]) - entropy) < abs(-logf(p[$1]) - entropy) }
    var sum: Float = 0
    var kept: [Int] = []
    for index in order {
      sum += p[index]
      kept.append(index)
      if sum > options.typicalP { break }
    }
    candidates = kept.sorted().map { candidates[$0] }
  }

  private func applyTopP(_ candidates: inout [Candidate]) {
    guard options.topP < 1 else { return }
    var sum: Float = 0
    for (index, p) in Self.probabilities(candidates).enumerated() {
      sum += p
      if sum >= options.topP {
        candidates.removeSubrange((index + 1)...)
        return
      }
    }
  }

  private func applyMinP(_ candidates: inout [Candidate]) {
    guard options.minP > 0, let best = candidates.first else { return }
    let bound = best.logit + logf(options.minP)
    candidates.removeAll { $0.logit < bound }
  }

  /// Draws by probability at the temperature. One draw is taken even where one candidate is left,
  /// so that seeds keep their place.
  private mutating func draw(_ candidates: [Candidate]) -> Int {
    let scaled = candidates.map { Candidate(id: $0.id, logit: $0.logit / options.temperature) }
    let peak = scaled.map(\.logit).max() ?? 0
    let weights = scaled.map { Double(expf($0.logit - peak)) }
    let target = random.nextUnit() * weights.reduce(0, +)
    var sum = 0.0
    for (candidate, weight) in zip(scaled, weights) {
      sum += weight
      if sum >= target { return candidate.id }
    }
    return scaled.last?.id ?? 0
  }
}
