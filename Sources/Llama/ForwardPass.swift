import Compute

/// The forward pass of a Llama model (Touvron et al. 2023) for batches of up to `batchSize` tokens:
/// many of one sequence, or one each of many.
///
/// Holds the buffers between steps, so that computing allocates nothing. One pass serves one caller
/// at a time.
public final class ForwardPass {
  /// The weights.
  public let model: LlamaModel
  /// Tokens that one pass computes at most.
  public let batchSize: Int

  // Buffers, [token, …]; each says what it holds when a block is done with it.
  private let residual: FloatMatrix  // [token, embedding], the stream that blocks add to
  private let normed: StepInput  // [token, embedding], the input of a block's matrices
  private let queries: FloatMatrix  // [token, heads * headSize]
  private let keys: FloatMatrix  // [token, keyValueHeads * headSize]
  private let values: FloatMatrix  // [token, keyValueHeads * headSize]
  private let attended: StepInput  // [token, heads * headSize]
  private let gate: FloatMatrix  // [token, feedForward]
  private let up: FloatMatrix  // [token, feedForward]
  private let hidden: StepInput  // [token, feedForward], silu(gate) * up
  /// [thread, block]: two threads that count references to the same objects slow each other down.
  private let blocks: [[BlockProjections]]
  /// Whether our kernels multiply all matrices.
  private let isNative: Bool
  private let rotary: RotaryTable
  private let attention: AttentionInput  // queries, keys, values
  private let workspace: AttentionWorkspace
  /// [thread]: what each reads next, where it computes its own sequences.
  private let upcoming: [UpcomingReads]
  /// [row, vocabulary]: one row unless every token's logits are wanted.
  private var logits: FloatMatrix

  /// Whose logits a pass computes.
  public enum Wanted: Sendable {
    /// Nobody's: of a part of a prompt.
    case none
    /// The batch's last token's: what generation needs.
    case last
    /// Every token's.
    case all
  }

  /// - Parameters:
  ///   - model: the weights.
  ///   - batchSize: tokens computed together, at least 1.
  public init(_ model: LlamaModel, batchSize: Int) {
    let shape = model.hyperparameters
    self.model = model
    self.batchSize = max(1, batchSize)
    let rows = self.batchSize
    residual = FloatMatrix(rows: rows, columns: shape.embeddingLength)
    let workers = model.team.threadCount
    normed = StepInput(rows: rows, columns: shape.embeddingLength, workers: workers)
    queries = FloatMatrix(rows: rows, columns: shape.queryLength)
    keys = FloatMatrix(rows: rows, columns: shape.keyValueLength)
    values = FloatMatrix(rows: rows, columns: shape.keyValueLength)
    attended = StepInput(rows: rows, columns: shape.queryLength, workers: workers)
    gate = FloatMatrix(rows: rows, columns: shape.feedForwardLength)
    hidden = StepInput(rows: rows, columns: shape.feedForwardLength, workers: workers)
    up = FloatMatrix(rows: rows, columns: shape.feedForwardLength)
    rotary = RotaryTable(
      rows: rows, rotated: shape.ropeDimensionCount, base: shape.ropeFrequencyBase,
      scale: shape.ropePositionScale)
    attention = AttentionInput(queries: queries, keys: keys, values: values, table: rotary)
    blocks = (0..<workers).map { [queries, keys, values, residual, gate, up] _ in
      model.weights.blocks.map { block in
        BlockProjections(
          block, query: Projection(block.query, queries), key: Projection(block.key, keys),
          value: Projection(block.value, values),
          attentionOutput: Projection(block.attentionOutput, residual, accumulates: true),
          gate: Projection(block.gate, gate), up: Projection(block.up, up),
          down: Projection(block.down, residual, accumulates: true))
      }
    }
    isNative = model.weights.matrices.allSatisfy(\.isNative)
    workspace = AttentionWorkspace(
      group: shape.groupSize, headSize: shape.headSize, workers: workers)
    upcoming = blocks.map { UpcomingReads(during: $0.first?.all ?? []) }
    logits = FloatMatrix(rows: 1, columns: shape.vocabularySize)
  }

  /// Appends `tokens` to the sequence in `cache`, a batch at a time, and calls `body` with each
  /// wanted token's index in `tokens` and logits [vocabulary].
  ///
  /// - Parameters:
  ///   - tokens: ids below the vocabulary size, no more than the cache has room for.
  ///   - cache: the sequence that they go on from.
  ///   - wanted: whose logits are computed.
  ///   - body: what is done with them.
  public func callAsFunction(
    _ tokens: some RandomAccessCollection<Int>, cache: KeyValueCache, wanted: Wanted = .last,
    _ body: (Int, UnsafeMutableBufferPointer<Float>) throws -> Void
  ) rethrows {
    let tokens = Array(tokens)
    for start in stride(from: 0, to: tokens.count, by: batchSize) {
      let end = min(start + batchSize, tokens.count)
      let isEnd = end == tokens.count
      let part = Part(
        Array(tokens[start..<end]), cache: cache,
        wanted: wanted == .last && !isEnd ? .none : wanted)
      try step([part]) { _, index, logits in try body(start + index, logits) }
    }
  }

  /// Appends `tokens` to the sequence in `cache`, a batch at a time, and calls `body` with each token's index
  /// and its hidden state [embedding]: the output of the last norm, which logits are made of.
  ///
  /// - Parameters:
  ///   - tokens: ids below the vocabulary size, no more than the cache has room for.
  ///   - cache: the sequence that they go on from.
  ///   - body: what is done with them.
  public func hiddenStates(
    _ tokens: some RandomAccessCollection<Int>, cache: KeyValueCache,
    _ body: (Int, UnsafeMutableBufferPointer<Float>) throws -> Void
  ) rethrows {
    let tokens = Array(tokens)
    for start in stride(from: 0, to: tokens.count, by: batchSize) {
      let batch = Array(tokens[start..<min(start + batchSize, tokens.count)])
      let rows = 0..<batch.count
      model.takeTurn {
        compute(
          batch, [SequenceSlice(cache: cache, rows: rows)], wanted: rows, projectsLogits: false)
      }
      let states = normed.values(upTo: batch.count)
      for row in rows { try states.withRow(row) { try body(start + row, $0) } }
    }
  }

  /// Tokens that a pass appends to one sequence.
  public struct Part {
    /// The tokens to append, in order.
    public let tokens: [Int]
    let cache: KeyValueCache
    let wanted: Wanted

    /// - Parameters:
    ///   - tokens: ids below the vocabulary size, at least one.
    ///   - cache: has room for the tokens.
    ///   - wanted: whose logits are computed.
    public init(_ tokens: [Int], cache: KeyValueCache, wanted: Wanted = .last) {
      precondition(!tokens.isEmpty)
      self.tokens = tokens
      self.cache = cache
      self.wanted = wanted
    }

    /// The first of `tokens` whose logits are computed; nil where none are.
    var firstWanted: Int? {
      switch wanted {
      case .none: nil
      case .last: tokens.count - 1
      case .all: 0
      }
    }
  }

  /// Appends tokens to each of several sequences, in one pass over the weights, and calls `body` with
  /// the part's index, the index of each wanted token in it, and its logits [vocabulary]. What a
  /// sequence gets does not depend on the others.
  ///
  /// Logits are computed for all tokens from the first wanted one on: parts without wanted tokens
  /// should come first, then those that want the last of many.
  ///
  /// - Parameters:
  ///   - parts: of distinct caches, at most `batchSize` tokens in all.
  ///   - body: what is done with the logits.
  public func step(
    _ parts: [Part], _ body: (Int, Int, UnsafeMutableBufferPointer<Float>) throws -> Void
  ) rethrows {
    var slices: [SequenceSlice] = []
    var tokens: [Int] = []
    var firstWanted: Int?
    for part in parts {
      if let first = part.firstWanted { firstWanted = firstWanted ?? tokens.count + first }
      slices.append(
        SequenceSlice(cache: part.cache, rows: tokens.count..<tokens.count + part.tokens.count))
      tokens += part.tokens
    }
    precondition(!tokens.isEmpty && tokens.count <= batchSize, "\(tokens.count) tokens a pass")
    let rows = (firstWanted ?? tokens.count)..<tokens.count
    // A few tokens after others: replies are under way.
    let isReply = parts.contains { $0.tokens.count <= Relocation.mostTokens && $0.cache.count > 0 }
    model.takeTurn {
      if isReply { model.relocation.step() }
      compute(tokens, slices, wanted: rows)
    }
    for (index, part) in parts.enumerated() {
      guard let first = part.firstWanted else { continue }
      let start = slices[index].rows.lowerBound
      for token in first..<part.tokens.count {
        try logits.withRow(start + token - rows.lowerBound) { try body(index, token, $0) }
      }
    }
  }

  /// One batch, top to bottom.
  ///
  /// - Parameters:
  ///   - wanted: the rows whose hidden states are computed, and
  ///   - projectsLogits: whether their logits as well.
  private func compute(
    _ tokens: [Int], _ slices: [SequenceSlice], wanted: Range<Int>, projectsLogits: Bool = true
  ) {
    let count = tokens.count
    for slice in slices { slice.cache.extend(by: slice.rows.count) }
    if projectsLogits, logits.rows < wanted.count {
      logits = FloatMatrix(
        rows: min(batchSize, 2 * wanted.count), columns: model.hyperparameters.vocabularySize)
    }
    workspace.prepare(for: slices)
    model.team.run { worker in
      var pass = Pass(
        tokens: tokens, slices: slices, rows: 0..<count, wanted: wanted,
        firstWanted: wanted.lowerBound, projectsLogits: projectsLogits)
      // Of tokens that do not see each other threads do not wait for each other.
      guard isNative, let own = worker.ownRows(slices) else { return compute(pass, worker) }
      pass.slices = Array(slices[own])
      pass.rows = own
      pass.wanted = wanted.clamped(to: own)
      // But one core may be slower than another for a while: with the logits of all they help each other.
      if wanted == 0..<count { pass.team = worker }
      compute(pass, worker.alone)
    }
  }

  /// What threads compute together, or one for itself.
  private struct Pass {
    let tokens: [Int]
    /// Of `rows`.
    var slices: [SequenceSlice]
    var rows: Range<Int>
    /// Rows whose hidden states are computed.
    var wanted: Range<Int>
    /// The row whose logits come first.
    let firstWanted: Int
    let projectsLogits: Bool
    /// Who computes the logits of all tokens together, each thread once its own rows are ready.
    var team: Worker?

    /// Rows that the last block computes. A token each is one step with all of them.
    var outlasting: Range<Int> { slices.contains { $0.rows.count > 1 } ? wanted : rows }
  }

  private func compute(_ pass: Pass, _ worker: Worker) {
    let (slices, rows, wanted) = (pass.slices, pass.rows, pass.wanted)
    let weights = model.weights
    let epsilon = model.hyperparameters.rmsNormEpsilon
    // x = E[token]
    worker.shareRows(rows) { rows in
      for row in rows {
        residual.withRow(row) { weights.tokenEmbedding.readRow(pass.tokens[row], into: $0) }
      }
    }
    worker.fillRotary(rotary, slices)

    let blocks = blocks[worker.index]
    let upcoming = worker.asksAhead(for: slices) ? upcoming[worker.index] : nil
    upcoming?.set(slices, layer: 0)
    for (layer, products) in blocks.enumerated() {
      let block = products.weights
      // Of tokens whose logits nobody wants, the last block only has to keep keys and values.
      let needed = layer == blocks.count - 1 ? pass.outlasting : rows
      // h = rmsNorm(x);  q, k, v = Wq h, Wk h, Wv h
      let h = worker.rmsNorm(
        residual, block.attentionNorm, epsilon: epsilon, rows: rows, into: normed,
        for: block.attentionReaders)
      if needed == rows {
        worker.linear(
          h, rows: needed, products.query, products.key, products.value, meanwhile: upcoming)
      } else {
        worker.linear(h, rows: rows, products.key, products.value)
        worker.linear(h, rows: needed, products.query)
      }

      // q, k = rope(q), rope(k);  a = softmax(q K^T / sqrt(headSize)) V;  x += Wo a
      let a = worker.attend(
        attention, slices, needed: needed, layer: layer, workspace: workspace, into: attended,
        for: block.attentionOutputReaders)
      if layer < blocks.count - 1 {
        upcoming?.set(slices, layer: layer + 1)
      } else {
        upcoming?.clear()
      }
      worker.linear(a, rows: needed, products.attentionOutput, meanwhile: upcoming)

      // h = rmsNorm(x);  x += Wdown (silu(Wgate h) * Wup h)
      let g = worker.rmsNorm(
        residual, block.feedForwardNorm, epsilon: epsilon, rows: needed, into: normed,
        for: block.feedForwardReaders)
      let u = worker.gatedLinear(
        g, rows: needed, products.gate, products.up, into: hidden, for: block.downReaders,
        meanwhile: upcoming)
      worker.linear(u, rows: needed, products.down, meanwhile: upcoming)
    }

    // logits = Wout rmsNorm(x), for the tokens that are asked for
    guard !wanted.isEmpty else { return }
    let h = worker.rmsNorm(
      residual, weights.outputNorm, epsilon: epsilon, rows: wanted, into: normed,
      for: weights.outputReaders)
    guard pass.projectsLogits else { return }
    let output = Projection(weights.output, logits)
    if let team = pass.team {
      team.linear(h, rows: 0..<pass.tokens.count, output, afterOwnWork: true)
    } else {
      worker.linear(h, rows: wanted, into: wanted.lowerBound - pass.firstWanted, output)
    }
  }
}

/// The matrix products of a block, with where their results go.
private final class BlockProjections {
  let weights: BlockWeights
  let query, key, value, attentionOutput, gate, up, down: Projection
  /// All of them: as many as there are between one attention and the next.
  var all: [Projection] { [query, key, value, attentionOutput, gate, up, down] }

  init(
    _ weights: BlockWeights, query: Projection, key: Projection, value: Projection,
    attentionOutput: Projection, gate: Projection, up: Projection, down: Projection
  ) {
    self.weights = weights
    (self.query, self.key, self.value) = (query, key, value)
    self.attentionOutput = attentionOutput
    (self.gate, self.up, self.down) = (gate, up, down)
  }
}
