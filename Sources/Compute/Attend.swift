import KernelCore

/// Scratch of attention, and how its work is cut.
public final class AttentionWorkspace: @unchecked Sendable {
  // @unchecked Sendable: prepared between runs of a team; in a run, items write their own parts.

  /// Tokens whose queries are taken together: with three heads a group, 24 rows of queries.
  static let tokensPerTile = 8

  let group: Int
  let headSize: Int
  /// Partial results of spans, where spans are shared among threads.
  private var partials = AlignedMemory(byteCount: 0)
  /// Whether each span of a tile is an item of its own: for few tokens, whose tiles alone would leave
  /// threads without work. Results do not depend on it.
  private(set) var sharesSpans = false
  private var mostSpans = 0

  /// - Parameter group: query heads that share a key-value head.
  public init(group: Int, headSize: Int) {
    self.group = group
    self.headSize = headSize
  }

  /// Floats of a partial result: values [rows, headSize], then largest and total [rows].
  private var partialFloats: Int { group * (headSize + 2) }

  /// Makes room for `slices`. To be called outside of a run.
  public func prepare(for slices: [SequenceSlice]) {
    let most = slices.map(\.end).max() ?? 0
    mostSpans = (most + AttentionSpan.positions - 1) / AttentionSpan.positions
    sharesSpans = mostSpans > 1 && slices.allSatisfy { $0.rows.count == 1 }
    guard sharesSpans, let shape = slices.first?.cache.shape else { return }
    let bytes = slices.count * shape.heads * mostSpans * partialFloats * 4
    if bytes > partials.byteCount { partials = AlignedMemory(byteCount: bytes) }
  }

  /// Where the result of `span` goes, of the token and head with index `item`.
  func partial(_ item: Int, _ span: Int) -> AttentionPartial {
    let values =
      partials.base.assumingMemoryBound(to: Float.self)
      + (item * mostSpans + span) * partialFloats
    return AttentionPartial(
      largest: values + group * headSize, total: values + group * (headSize + 1), values: values)
  }
}

extension Worker {
  /// Rotates queries and keys, and stores keys and values at their positions.
  ///
  /// - Parameters:
  ///   - queries: [rows, heads * headSize], rotated in place.
  ///   - keys, values: [rows, keyValueHeads * headSize].
  public func rotateAndStore(
    queries: FloatMatrix, keys: FloatMatrix, values: FloatMatrix, _ slices: [SequenceSlice],
    table: RotaryTable, layer: Int
  ) {
    guard let shape = slices.first?.cache.shape, let rows = slices.last?.rows.upperBound else {
      return
    }
    let size = shape.headSize
    precondition(slices.allSatisfy { $0.end <= $0.cache.capacity } && table.rotated <= size)
    precondition(keys.columns == shape.heads * size && values.columns == keys.columns)
    share(rows) { row in
      let slice = slices.holding(row)
      let cosines = UnsafePointer(table.cosines.pointer(row))
      let sines = UnsafePointer(table.sines.pointer(row))
      let query = queries.pointer(row)
      for head in 0..<queries.columns / size {
        kernels.rotate(query + head * size, cosines, sines, table.rotated)
      }
      let key = keys.pointer(row)
      let value = values.pointer(row)
      for head in 0..<shape.heads {
        kernels.rotate(key + head * size, cosines, sines, table.rotated)
        slice.cache.store(
          key: key + head * size, value: value + head * size, layer: layer, head: head,
          position: slice.position(of: row), kernels: kernels)
      }
    }
  }

  /// Causal grouped-query attention (Ainslie et al. 2023) of the slices' rows over their caches, into
  /// `output` [rows, heads * headSize].
  public func attend(
    queries: FloatMatrix, _ slices: [SequenceSlice], layer: Int, workspace: AttentionWorkspace,
    into output: FloatMatrix
  ) {
    precondition(output.columns == queries.columns)
    precondition(slices.allSatisfy { $0.end <= $0.cache.capacity })
    guard let heads = slices.first?.cache.shape.heads else { return }
    let attention = TileAttention(
      queries: queries, output: output, layer: layer, group: workspace.group,
      headSize: workspace.headSize, kernels: kernels)
    if workspace.sharesSpans {
      attendSpans(attention, slices, heads, workspace)
      return
    }
    let tokens = AttentionWorkspace.tokensPerTile
    let tileCounts = slices.map { ($0.rows.count + tokens - 1) / tokens }
    // Later tiles see more positions; handing them out first keeps the last thread's wait short.
    share(tileCounts.reduce(0, +) * heads) { item in
      var tile = item / heads
      var index = 0
      while tile >= tileCounts[index] {
        tile -= tileCounts[index]
        index += 1
      }
      let rows = slices[index].rows
      let start = rows.lowerBound + (tileCounts[index] - 1 - tile) * tokens
      attention.attend(
        start..<min(start + tokens, rows.upperBound), of: slices[index], head: item % heads)
    }
  }

  /// One token a slice: spans are shared among the threads, then merged in their order.
  private func attendSpans(
    _ attention: TileAttention, _ slices: [SequenceSlice], _ heads: Int,
    _ workspace: AttentionWorkspace
  ) {
    let width = AttentionSpan.positions
    func spans(_ slice: SequenceSlice) -> Int { (slice.end + width - 1) / width }
    let most = slices.map(spans).max() ?? 0
    share(slices.count * heads * most) { item in
      let (owner, span) = item.quotientAndRemainder(dividingBy: most)
      let slice = slices[owner / heads]
      guard span < spans(slice) else { return }
      attention.attend(
        slice.rows, of: slice, head: owner % heads, span: span * width,
        into: workspace.partial(owner, span))
    }
    share(slices.count * heads) { owner in
      let slice = slices[owner / heads]
      let running = workspace.partial(owner, 0)
      for span in 1..<max(1, spans(slice)) {
        kernels.mergeSpan(
          workspace.partial(owner, span), running, workspace.group, workspace.headSize)
      }
      attention.finish(slice.rows, head: owner % heads, running)
    }
  }
}

/// The queries of a tile as `AttentionSpan` has them.
private struct TileQueries {
  let values: UnsafePointer<Float>
  let scales: UnsafePointer<Float>
  let visible: UnsafePointer<Int32>
  let rows: Int
}

/// Attention of a few rows of one sequence and one key-value head.
private struct TileAttention {
  let queries: FloatMatrix
  let output: FloatMatrix
  let layer: Int
  let group: Int
  let headSize: Int
  let kernels: KernelTable

  /// All spans that `rows` see.
  func attend(_ rows: Range<Int>, of slice: SequenceSlice, head: Int) {
    let width = AttentionSpan.positions
    let count = rows.count * group
    // Two partial results: values [count, headSize], largest and total [count].
    withUnsafeTemporaryAllocation(byteCount: 2 * count * (headSize + 2) * 4, alignment: 64) {
      guard let memory = $0.baseAddress?.assumingMemoryBound(to: Float.self) else { return }
      func partial(_ index: Int) -> AttentionPartial {
        let sums = memory + 2 * count * headSize + 2 * index * count
        return AttentionPartial(
          largest: sums, total: sums + count, values: memory + index * count * headSize)
      }
      let running = partial(0)
      let end = slice.position(of: rows.upperBound - 1) + 1
      withQueries(rows, of: slice, head) { queries, scores in
        for start in stride(from: 0, to: end, by: width) {
          let next = start == 0 ? running : partial(1)
          compute(queries, scores, slice, head, start..<min(start + width, end), next)
          if start > 0 { kernels.mergeSpan(next, running, count, headSize) }
        }
      }
      finish(rows, head: head, running)
    }
  }

  /// The one span that starts at `start`.
  func attend(
    _ rows: Range<Int>, of slice: SequenceSlice, head: Int, span start: Int,
    into partial: AttentionPartial
  ) {
    let end = min(start + AttentionSpan.positions, slice.position(of: rows.upperBound - 1) + 1)
    withQueries(rows, of: slice, head) { queries, scores in
      compute(queries, scores, slice, head, start..<end, partial)
    }
  }

  /// Writes the rows' results.
  func finish(_ rows: Range<Int>, head: Int, _ partial: AttentionPartial) {
    for (i, row) in rows.enumerated() {
      let target = output.pointer(row) + head * group * headSize
      for j in 0..<group {
        kernels.finishAttention(partial, i * group + j, headSize, target + j * headSize)
      }
    }
  }

  /// Calls `body` with the queries of a tile and room for scores.
  private func withQueries(
    _ rows: Range<Int>, of slice: SequenceSlice, _ head: Int,
    _ body: (TileQueries, UnsafeMutablePointer<Float>) -> Void
  ) {
    let count = rows.count * group
    let scale = 1 / Float(headSize).squareRoot()
    let floats = count * (headSize + AttentionSpan.positions + 1)
    withUnsafeTemporaryAllocation(byteCount: floats * 4, alignment: 64) { bytes in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { visible in
        guard let gathered = bytes.baseAddress?.assumingMemoryBound(to: Float.self),
          let visible = visible.baseAddress
        else { return }
        let scores = gathered + count * headSize
        let scales = scores + count * AttentionSpan.positions
        for (i, row) in rows.enumerated() {
          let query = queries.pointer(row) + head * group * headSize
          let target = gathered + i * group * headSize
          for j in 0..<group * headSize { target[j] = query[j] * scale }
          for j in 0..<group {
            visible[i * group + j] = Int32(truncatingIfNeeded: slice.position(of: row) + 1)
          }
        }
        if slice.cache.precision.isFixedPoint {
          for i in 0..<count {
            let query = gathered + i * headSize
            scales[i] = kernels.quantizeFixed(query, headSize, true, query)
          }
        }
        let queries = TileQueries(values: gathered, scales: scales, visible: visible, rows: count)
        body(queries, scores)
      }
    }
  }

  private func compute(
    _ queries: TileQueries, _ scores: UnsafeMutablePointer<Float>, _ slice: SequenceSlice,
    _ head: Int, _ positions: Range<Int>, _ partial: AttentionPartial
  ) {
    let cache = slice.cache
    let scales =
      cache.precision.isFixedPoint ? cache.scales(layer, head, spanOf: positions.lowerBound) : nil
    let span = AttentionSpan(
      keys: cache.keys(layer, head, spanOf: positions.lowerBound),
      values: cache.values(layer, head, spanOf: positions.lowerBound),
      keyScales: scales, valueScales: scales.map { $0 + AttentionSpan.positions },
      headSize: headSize, start: positions.lowerBound, count: positions.count,
      queries: queries.values, queryScales: queries.scales, rows: queries.rows,
      visible: queries.visible)
    kernels.attention(cache.precision)(span, scores, partial)
  }
}

extension KernelTable {
  /// The kernel for a cache of this precision.
  func attention(_ precision: KeyValueCache.Precision) -> Attention {
    switch precision {
    case .half: attendHalf
    case .fixed: attendFixed
    case .byte: attendBytes
    case .single: attendSingle
    }
  }
}
