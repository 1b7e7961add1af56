import Compute

/// The forward pass of a Llama model (Touvron et al. 2023) for batches of up to `batchSize` tokens
/// of one sequence.
///
/// Holds the buffers between steps, so that computing allocates nothing. One pass serves one caller
/// at a time.
public final class ForwardPass {
  public let model: LlamaModel
  public let batchSize: Int

  // Buffers, [token, …]; each says what it holds when a block is done with it.
  private let residual: FloatMatrix  // [token, embedding], the stream that blocks add to
  private let normed: Activations  // [token, embedding], the input of a block's matrices
  private let queries: FloatMatrix  // [token, heads * headSize]
  private let keys: FloatMatrix  // [token, keyValueHeads * headSize]
  private let values: FloatMatrix  // [token, keyValueHeads * headSize]
  private let attended: Activations  // [token, heads * headSize]
  private let hidden: Activations  // [token, feedForward], silu(gate) * up
  private let up: FloatMatrix  // [token, feedForward]
  private let rotary: RotaryTable
  private let workspace: AttentionWorkspace
  /// [row, vocabulary]: one row unless every token's logits are wanted.
  private var logits: FloatMatrix

  /// Whose logits a pass computes.
  public enum Wanted: Sendable {
    /// The batch's last token's: what generation needs.
    case last
    /// Every token's.
    case all
  }

  /// - Parameter batchSize: tokens computed together, at least 1.
  public init(_ model: LlamaModel, batchSize: Int) {
    let shape = model.hyperparameters
    self.model = model
    self.batchSize = max(1, batchSize)
    let rows = self.batchSize
    residual = FloatMatrix(rows: rows, columns: shape.embeddingLength)
    normed = Activations(rows: rows, columns: shape.embeddingLength)
    queries = FloatMatrix(rows: rows, columns: shape.queryLength)
    keys = FloatMatrix(rows: rows, columns: shape.keyValueLength)
    values = FloatMatrix(rows: rows, columns: shape.keyValueLength)
    attended = Activations(rows: rows, columns: shape.queryLength)
    hidden = Activations(rows: rows, columns: shape.feedForwardLength)
    up = FloatMatrix(rows: rows, columns: shape.feedForwardLength)
    rotary = RotaryTable(
      rows: rows, rotated: shape.ropeDimensionCount, base: shape.ropeFrequencyBase,
      scale: shape.ropePositionScale)
    workspace = AttentionWorkspace(group: shape.groupSize, headSize: shape.headSize)
    logits = FloatMatrix(rows: 1, columns: shape.vocabularySize)
  }

  /// Appends `tokens` to the sequence in `cache`, a batch at a time, and calls `body` with each
  /// wanted token's index in `tokens` and logits [vocabulary].
  ///
  /// - Parameter tokens: ids below the vocabulary size, no more than the cache has room for.
  public func callAsFunction(
    _ tokens: some RandomAccessCollection<Int>, cache: KeyValueCache, wanted: Wanted = .last,
    _ body: (Int, UnsafeMutableBufferPointer<Float>) throws -> Void
  ) rethrows {
    let tokens = Array(tokens)
    var start = 0
    while start < tokens.count {
      let end = min(start + batchSize, tokens.count)
      // One token: a reply is under way.
      if tokens.count == 1 { model.relocation.step() }
      compute(
        Array(tokens[start..<end]), cache, wantsAll: wanted == .all, isLast: end == tokens.count)
      switch wanted {
      case .all:
        for row in 0..<end - start { try logits.withRow(row) { try body(start + row, $0) } }
      case .last where end == tokens.count: try logits.withRow(0) { try body(end - 1, $0) }
      case .last: break
      }
      start = end
    }
  }

  /// One batch, top to bottom.
  private func compute(_ tokens: [Int], _ cache: KeyValueCache, wantsAll: Bool, isLast: Bool) {
    let shape = model.hyperparameters
    let weights = model.weights
    let epsilon = shape.rmsNormEpsilon
    let count = tokens.count
    let first = cache.count
    cache.extend(by: count)
    if wantsAll, logits.rows < count {
      logits = FloatMatrix(rows: batchSize, columns: shape.vocabularySize)
    }

    model.team.run { worker in
      // x = E[token]
      worker.share(count) { row in
        residual.withRow(row) { weights.tokenEmbedding.readRow(tokens[row], into: $0) }
      }
      worker.fillRotary(rotary, first: first, rows: count)

      for (layer, block) in weights.blocks.enumerated() {
        // h = rmsNorm(x);  q, k, v = Wq h, Wk h, Wv h
        worker.rmsNorm(
          residual, block.attentionNorm, epsilon: epsilon, rows: count, into: normed.values)
        worker.prepare(normed, rows: count, for: block.query, block.key, block.value)
        worker.linear(block.query, normed, rows: count, into: queries)
        worker.linear(block.key, normed, rows: count, into: keys)
        worker.linear(block.value, normed, rows: count, into: values)

        // q, k = rope(q), rope(k);  a = softmax(q K^T / sqrt(headSize)) V;  x += Wo a
        worker.rotateAndStore(
          queries: queries, keys: keys, values: values, rows: count, table: rotary, cache: cache,
          layer: layer, first: first)
        worker.attend(
          queries: queries, rows: count, cache: cache, layer: layer, first: first,
          workspace: workspace, into: attended.values)
        worker.prepare(attended, rows: count, for: block.attentionOutput)
        worker.linear(
          block.attentionOutput, attended, rows: count, into: residual, accumulating: true)

        // h = rmsNorm(x);  x += Wdown (silu(Wgate h) * Wup h)
        worker.rmsNorm(
          residual, block.feedForwardNorm, epsilon: epsilon, rows: count, into: normed.values)
        worker.prepare(normed, rows: count, for: block.gate, block.up)
        worker.linear(block.gate, normed, rows: count, into: hidden.values)
        worker.linear(block.up, normed, rows: count, into: up)
        worker.swiGLU(hidden.values, up, rows: count)
        worker.prepare(hidden, rows: count, for: block.down)
        worker.linear(block.down, hidden, rows: count, into: residual, accumulating: true)
      }

      // logits = Wout rmsNorm(x), for the tokens that are asked for
      guard wantsAll || isLast else { return }
      worker.rmsNorm(
        residual, weights.outputNorm, epsilon: epsilon, rows: count, into: normed.values)
      worker.prepare(normed, rows: count, for: weights.output)
      worker.linear(
        weights.output, normed, firstRow: wantsAll ? 0 : count - 1, rows: wantsAll ? count : 1,
        into: logits)
    }
  }
}
