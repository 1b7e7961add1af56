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

/// What a step attends with: the batch's queries, keys and values, not rotated yet.
///
/// A class, so that passing it on counts one reference and not four.
public final class AttentionInput: Sendable {
  let queries: FloatMatrix
  let keys: FloatMatrix
  let values: FloatMatrix
  let table: RotaryTable

  /// - Parameters:
  ///   - queries: [rows, heads * headSize]; what is in it may change.
  ///   - keys, values: [rows, keyValueHeads * headSize]; what is in `keys` changes.
  ///   - table: the angles of the rows' positions.
  public init(queries: FloatMatrix, keys: FloatMatrix, values: FloatMatrix, table: RotaryTable) {
    self.queries = queries
    self.keys = keys
    self.values = values
    self.table = table
  }
}

extension Worker {
  /// Rotates queries and keys, stores keys and values at their positions, and attends: causal grouped-query
  /// attention (Ainslie et al. 2023) of the slices' rows over their caches.
  ///
  /// - Parameters:
  ///   - needed: the rows that attend; the others' keys and values are stored. All where every slice is one
  ///     row.
  ///   - output: [rows, heads * headSize], prepared for those who read it.
  /// - Returns: the needed rows as this worker reads them.
  public func attend(
    _ input: AttentionInput, _ slices: [SequenceSlice], needed: Range<Int>, layer: Int,
    workspace: AttentionWorkspace, into output: StepInput, for readers: InputReaders
  ) -> Activations {
    precondition(output.columns == input.queries.columns)
    precondition(
      slices.allSatisfy {
        $0.end <= $0.cache.capacity
          && input.keys.columns == $0.cache.shape.heads * workspace.headSize
      })
    precondition(input.values.columns == input.keys.columns)
    precondition(input.queries.columns == input.keys.columns * workspace.group)
    precondition(input.table.rotated <= workspace.headSize)
    let rows = slices.last?.rows.upperBound ?? 0
    precondition(needed.lowerBound >= 0 && needed.upperBound <= rows)
    // A token sees none of the batch but itself: who attends with it first puts its key in place.
    let storesFirst = slices.contains { $0.rows.count > 1 }
    precondition(storesFirst || needed.count == rows)
    let attention = TileAttention(
      input: input, layer: layer, isRotated: storesFirst, group: workspace.group,
      headSize: workspace.headSize,
      kernels: kernels)
    if storesFirst { rotateAndStore(attention, slices, rows: rows, needed: needed) }
    if workspace.sharesSpans {
      return attendSpans(attention, slices, workspace, rows: rows, into: output, for: readers)
    }
    attendTiles(attention, slices, needed, into: output.values)
    return prepare(output, rows: needed, for: readers)
  }

  private func rotateAndStore(
    _ attention: TileAttention, _ slices: [SequenceSlice], rows: Int, needed: Range<Int>
  ) {
    share(rows) { row in
      if needed.contains(row) { attention.rotateQueries(row) }
      let slice = slices.holding(row)
      for head in 0..<attention.heads { attention.store(row, of: slice, head: head) }
    }
  }

  private func attendTiles(
    _ attention: TileAttention, _ slices: [SequenceSlice], _ needed: Range<Int>,
    into output: FloatMatrix
  ) {
    let tokens = AttentionWorkspace.tokensPerTile
    let heads = attention.heads
    func askers(_ slice: SequenceSlice) -> Range<Int> { slice.rows.clamped(to: needed) }
    func tiles(_ slice: SequenceSlice) -> Int { (askers(slice).count + tokens - 1) / tokens }
    let count = slices.reduce(0) { $0 + tiles($1) }
    // Later tiles see more positions; handing them out first keeps the last thread's wait short.
    share(count * heads) { item in
      var tile = item / heads
      var index = 0
      if !attention.isRotated {
        // A token each, and so a tile.
        index = tile
        tile = 0
      }
      while tile >= tiles(slices[index]) {
        tile -= tiles(slices[index])
        index += 1
      }
      let rows = askers(slices[index])
      let start = rows.lowerBound + (tiles(slices[index]) - 1 - tile) * tokens
      attention.attend(
        start..<min(start + tokens, rows.upperBound), of: slices[index], head: item % heads,
        into: output)
    }
  }

  /// One token a slice: spans are shared among the threads, then merged in their order.
  private func attendSpans(
    _ attention: TileAttention, _ slices: [SequenceSlice], _ workspace: AttentionWorkspace,
    rows: Int, into output: StepInput, for readers: InputReaders
  ) -> Activations {
    let width = AttentionSpan.positions
    let heads = attention.heads
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
    // Of few rows each thread merges all for itself, as it prepares them.
    let isOwn = StepInput.isOwn(upTo: rows)
    let target = isOwn ? output.activations(upTo: rows, of: index).values : output.values
    func merge(_ owner: Int) {
      let slice = slices[owner / heads]
      attention.merge(
        0..<spans(slice), slice.rows, head: owner % heads, into: target
      ) { workspace.partial(owner, $0) }
    }
    guard isOwn else {
      share(slices.count * heads, merge)
      return prepare(output, rows: 0..<rows, for: readers)
    }
    for owner in 0..<slices.count * heads { merge(owner) }
    let result = output.activations(upTo: rows, of: index)
    for row in 0..<rows {
      result.quantize(row, from: result.values.pointer(row), for: readers, kernels)
    }
    return result
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
  let input: AttentionInput
  let layer: Int
  /// Whether queries and keys were rotated, and keys and values stored, in a step before.
  let isRotated: Bool
  let group: Int
  let headSize: Int
  let kernels: KernelTable

  /// Key-value heads.
  var heads: Int { input.keys.columns / headSize }

  /// Rotates the queries of `row` in place.
  func rotateQueries(_ row: Int) {
    for head in 0..<heads * group { rotate(input.queries.pointer(row) + head * headSize, row) }
  }

  /// Rotates the key of `row` in place, and puts it and the value into the cache.
  func store(_ row: Int, of slice: SequenceSlice, head: Int) {
    let key = input.keys.pointer(row) + head * headSize
    rotate(key, row)
    slice.cache.store(
      key: key, value: input.values.pointer(row) + head * headSize, layer: layer, head: head,
      position: slice.position(of: row), kernels: kernels)
  }

  private func rotate(_ vector: UnsafeMutablePointer<Float>, _ row: Int) {
    kernels.rotate(
      vector, input.table.cosines.pointer(row), input.table.sines.pointer(row), input.table.rotated)
  }

  /// All spans that `rows` see.
  func attend(_ rows: Range<Int>, of slice: SequenceSlice, head: Int, into output: FloatMatrix) {
    if !isRotated { store(rows.lowerBound, of: slice, head: head) }
    let width = AttentionSpan.positions
    let count = rows.count * group
    let end = slice.position(of: rows.upperBound - 1) + 1
    withPartials(2, rows: count) { partial in
      let (running, next) = (partial(0), partial(1))
      withQueries(rows, of: slice, head) { queries, scores in
        for start in stride(from: 0, to: end, by: width) {
          let positions = start..<min(start + width, end)
          compute(queries, scores, slice, head, positions, start == 0 ? running : next)
          if start > 0 { kernels.mergeSpan(next, running, count, headSize) }
        }
      }
      finish(rows, head: head, running, into: output)
    }
  }

  /// The one span that starts at `start`.
  func attend(
    _ rows: Range<Int>, of slice: SequenceSlice, head: Int, span start: Int,
    into partial: AttentionPartial
  ) {
    let end = slice.position(of: rows.upperBound - 1) + 1
    let positions = start..<min(start + AttentionSpan.positions, end)
    // The newest position is in the last span, and nobody else looks at it.
    if !isRotated, positions.upperBound == end { store(rows.lowerBound, of: slice, head: head) }
    withQueries(rows, of: slice, head) { queries, scores in
      compute(queries, scores, slice, head, positions, partial)
    }
  }

  /// Writes what the partial results of `spans` are together; leaves those as they are.
  func merge(
    _ spans: Range<Int>, _ rows: Range<Int>, head: Int, into output: FloatMatrix,
    _ partial: (Int) -> AttentionPartial
  ) {
    let count = rows.count * group
    withPartials(1, rows: count) { room in
      let running = room(0)
      running.update(from: partial(spans.lowerBound), rows: count, headSize: headSize)
      for span in spans.dropFirst() { kernels.mergeSpan(partial(span), running, count, headSize) }
      finish(rows, head: head, running, into: output)
    }
  }

  /// Calls `body` with room for `count` partial results of `rows` rows of queries.
  private func withPartials(
    _ count: Int, rows: Int, _ body: ((Int) -> AttentionPartial) -> Void
  ) {
    // Values [rows, headSize] of each, then largest and total [rows] of each.
    withUnsafeTemporaryAllocation(byteCount: count * rows * (headSize + 2) * 4, alignment: 64) {
      guard let memory = $0.baseAddress?.assumingMemoryBound(to: Float.self) else { return }
      let sums = memory + count * rows * headSize
      body { index in
        AttentionPartial(
          largest: sums + 2 * index * rows, total: sums + (2 * index + 1) * rows,
          values: memory + index * rows * headSize)
      }
    }
  }

  /// Writes the rows' results.
  private func finish(
    _ rows: Range<Int>, head: Int, _ partial: AttentionPartial, into output: FloatMatrix
  ) {
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
          let query = input.queries.pointer(row) + head * group * headSize
          let target = gathered + i * group * headSize
          target.update(from: query, count: group * headSize)
          if !isRotated { for j in 0..<group { rotate(target + j * headSize, row) } }
          for j in 0..<group * headSize { target[j] *= scale }
          for j in 0..<group {
            visible[i * group + j] = Int32(truncatingIfNeeded: slice.position(of: row) + 1)
          }
        }
        if slice.cache.precision.isFixedPoint {
          for i in 0..<count {
            let query = gathered + i * headSize
            scales[i] = kernels.quantizeQuery(query, headSize, query)
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
      cache.precision.isFixedPoint
      ? cache.scales(layer, head, spanOf: positions.lowerBound) : nil
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

extension AttentionPartial {
  /// Takes over another one.
  fileprivate func update(from other: AttentionPartial, rows: Int, headSize: Int) {
    largest.update(from: other.largest, count: rows)
    total.update(from: other.total, count: rows)
    values.update(from: other.values, count: rows * headSize)
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
