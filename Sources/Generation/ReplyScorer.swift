import Llama

/// How likely given replies are, without generating one.
package struct ReplyScorer {
  private let sequence: CachedSequence
  private let forward: ForwardPass

  /// - Parameter batchSize: tokens computed together.
  package init(_ sequence: CachedSequence, batchSize: Int) {
    self.sequence = sequence
    forward = ForwardPass(sequence.model, batchSize: batchSize)
  }

  /// The natural logarithm of each reply's probability after `prompt`: the sum over its tokens, before
  /// any sampling option. The prompt stays in the sequence.
  ///
  /// - Parameters:
  ///   - replies: of at least one token; the prompt and the longest of them fit into the cache.
  ///   - isCancelled: asked before each reply.
  /// - Throws: `CancellationError`; `GenerationError.notFinite`.
  package func logProbabilities(
    of replies: [[Int]], after prompt: [Int], isCancelled: () -> Bool
  ) throws -> [Double] {
    var sums = [Double](repeating: 0, count: replies.count)
    func add(_ index: Int, _ token: Int, _ logits: UnsafeMutableBufferPointer<Float>) throws {
      let value = Double(logits[token] - logits.logSumExp)
      guard value.isFinite else {
        throw GenerationError.notFinite(position: sequence.tokens.count)
      }
      sums[index] += value
    }
    func compute(
      _ tokens: [Int], _ wanted: ForwardPass.Wanted,
      _ body: (Int, UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws {
      do {
        try forward(tokens, cache: sequence.cache, wanted: wanted, body)
        sequence.append(tokens)
      } catch {
        sequence.recover()
        throw error
      }
    }
    let kept = sequence.keepPrefix(of: prompt)
    try compute(Array(prompt[kept...]), .last) { _, logits in
      for (index, reply) in replies.enumerated() { try add(index, reply[0], logits) }
    }
    for (index, reply) in replies.enumerated() where reply.count > 1 {
      if isCancelled() { throw CancellationError() }
      try compute(Array(reply.dropLast()), .all) { place, logits in
        try add(index, reply[place + 1], logits)
      }
      sequence.forget(reply.count - 1)
    }
    return sums
  }
}
