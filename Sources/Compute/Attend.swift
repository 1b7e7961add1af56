import KernelCore

/// What a step attends with: the batch's queries, keys and values, not rotated yet.
///
/// A class, so that passing it on counts one reference and not four.
public final class AttentionInput: Sendable {
  let queries: FloatMatrix
  let keys: FloatMatrix
  let values: FloatMatrix
  let table: RotaryTable

  /// - Parameters:
  ///   - queries: [rows, heads * headSize].
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
    let rows = (slices.first?.rows.lowerBound ?? 0)..<(slices.last?.rows.upperBound ?? 0)
    precondition(needed.lowerBound >= rows.lowerBound && needed.upperBound <= rows.upperBound)
    // A token sees none of the batch but itself: who attends with it first puts its key in place.
    let storesFirst = slices.contains { $0.rows.count > 1 }
    precondition(storesFirst || needed == rows)
    let attention = TileAttention(
      input: input, layer: layer, storesFirst: storesFirst, group: workspace.group,
      headSize: workspace.headSize, scratch: workspace.scratch(of: index), kernels: kernels)
    if storesFirst { store(attention, slices, rows: rows) }
    if workspace.sharesSpans, count > 1 {
      return attendSpans(
        attention, slices, workspace, rows: rows.upperBound, into: output, for: readers)
    }
    attendTiles(attention, slices, needed, into: output.values)
    return prepare(output, rows: needed, for: readers)
  }

  private func store(_ attention: TileAttention, _ slices: [SequenceSlice], rows: Range<Int>) {
    shareRows(rows) { range in
      for slice in slices { attention.store(slice.rows.clamped(to: range), of: slice) }
    }
  }

  private func attendTiles(
    _ attention: TileAttention, _ slices: [SequenceSlice], _ needed: Range<Int>,
    into output: FloatMatrix
  ) {
    let tokens = AttentionWorkspace.tokensPerTile
    let heads = attention.heads
    let parts = RowParts(needed, threads: count)
    func askers(_ slice: SequenceSlice, _ part: Int) -> Range<Int> {
      slice.rows.clamped(to: parts[part])
    }
    func tiles(_ slice: SequenceSlice, _ part: Int) -> Int {
      (askers(slice, part).count + tokens - 1) / tokens
    }
    func tiles(_ part: Int) -> Int {
      // Asked for with each item, of which many sequences have many.
      attention.storesFirst ? slices.reduce(0) { $0 + tiles($1, part) } : parts[part].count
    }
    /// The slice of a tile, and the rows. Later tiles see more positions: handing them out first keeps the last
    /// thread's wait short.
    func tile(_ index: Int, _ part: Int) -> (SequenceSlice, Range<Int>) {
      // A token each, and so a tile.
      guard attention.storesFirst else {
        let slice = slices[parts[part].lowerBound - needed.lowerBound + index]
        return (slice, slice.rows)
      }
      var tile = index
      for slice in slices {
        let own = tiles(slice, part)
        if tile < own {
          let rows = askers(slice, part)
          let start = rows.lowerBound + (own - 1 - tile) * tokens
          return (slice, start..<min(start + tokens, rows.upperBound))
        }
        tile -= own
      }
      preconditionFailure("tile \(index) of part \(part)")
    }
    // A head after the other: its keys and values stay in the cache for all tiles.
    share(parts: parts.count, items: { tiles($0) * heads }) { part, item in
      let count = tiles(part)
      let (slice, rows) = tile(item % count, part)
      attention.attend(rows, of: slice, head: item / count, into: output)
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
    let isOwn = output.isOwn(upTo: rows)
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

/// Attention of a few rows of one sequence and one key-value head.
private struct TileAttention {
  let input: AttentionInput
  let layer: Int
  /// Whether keys and values were stored in a step before.
  let storesFirst: Bool
  let group: Int
  let headSize: Int
  let scratch: AttentionScratch
  let kernels: KernelTable

  /// Key-value heads.
  var heads: Int { input.keys.columns / headSize }

  /// Rotates the keys of `rows` in place, and puts them and the values into the cache.
  func store(_ rows: Range<Int>, of slice: SequenceSlice) {
    for row in rows {
      for head in 0..<heads { store(row, of: slice, head: head) }
    }
  }

  /// Rotates the key of `row` in place, and puts it and the value into the cache.
  func store(_ row: Int, of slice: SequenceSlice, head: Int) {
    let key = input.keys.pointer(row) + head * headSize
    kernels.rotate(key, headSize, input.table.angles(row), 1, key)
    slice.cache.store(
      key: key, value: input.values.pointer(row) + head * headSize, layer: layer, head: head,
      position: slice.position(of: row), kernels: kernels)
  }

  /// All spans that `rows` see.
  func attend(_ rows: Range<Int>, of slice: SequenceSlice, head: Int, into output: FloatMatrix) {
    if !storesFirst { store(rows.lowerBound, of: slice, head: head) }
    let width = AttentionSpan.positions
    let end = slice.position(of: rows.upperBound - 1) + 1
    let (running, next) = (scratch.running, scratch.next)
    let count = gatherQueries(rows, of: slice, head)
    for start in stride(from: 0, to: end, by: width) {
      let positions = start..<min(start + width, end)
      compute(count, slice, head, positions, start == 0 ? running : next)
      if start > 0 { kernels.mergeSpan(next, running, count, headSize) }
    }
    finish(rows, head: head, running, into: output)
  }

  /// The one span that starts at `start`.
  func attend(
    _ rows: Range<Int>, of slice: SequenceSlice, head: Int, span start: Int,
    into partial: AttentionPartial
  ) {
    let end = slice.position(of: rows.upperBound - 1) + 1
    let positions = start..<min(start + AttentionSpan.positions, end)
    // The newest position is in the last span, and nobody else looks at it.
    if !storesFirst, positions.upperBound == end { store(rows.lowerBound, of: slice, head: head) }
    compute(gatherQueries(rows, of: slice, head), slice, head, positions, partial)
  }

  /// Writes what the partial results of `spans` are together; leaves those as they are.
  func merge(
    _ spans: Range<Int>, _ rows: Range<Int>, head: Int, into output: FloatMatrix,
    _ partial: (Int) -> AttentionPartial
  ) {
    let count = rows.count * group
    scratch.check(rows: count)
    let running = scratch.running
    running.update(from: partial(spans.lowerBound), rows: count, headSize: headSize)
    for span in spans.dropFirst() { kernels.mergeSpan(partial(span), running, count, headSize) }
    finish(rows, head: head, running, into: output)
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

  /// Makes ready the queries of a tile, and what else `AttentionSpan` has of them.
  ///
  /// - Returns: how many there are.
  private func gatherQueries(_ rows: Range<Int>, of slice: SequenceSlice, _ head: Int) -> Int {
    let count = rows.count * group
    scratch.check(rows: count)
    let scale = 1 / Float(headSize).squareRoot()
    let quantize = kernels.quantizeQuery(slice.cache.precision)
    for (tileRow, row) in rows.enumerated() {
      let source = input.queries.pointer(row) + head * group * headSize
      let angles = input.table.angles(row)
      let visible = Int32(truncatingIfNeeded: slice.position(of: row) + 1)
      for j in 0..<group {
        let index = tileRow * group + j
        let query = scratch.queries + index * headSize
        kernels.rotate(source + j * headSize, headSize, angles, scale, query)
        if let quantize { scratch.scales[index] = quantize(query, headSize) }
        scratch.visible[index] = visible
      }
    }
    return count
  }

  /// One span of the tile whose queries are ready.
  private func compute(
    _ count: Int, _ slice: SequenceSlice, _ head: Int, _ positions: Range<Int>,
    _ partial: AttentionPartial
  ) {
    let cache = slice.cache
    let scales =
      cache.precision.isFixedPoint
      ? cache.scales(layer, head, spanOf: positions.lowerBound) : nil
    let span = AttentionSpan(
      keys: cache.keys(layer, head, spanOf: positions.lowerBound),
      values: cache.values(layer, head, spanOf: positions.lowerBound),
      keyScales: scales, valueScales: scales.map { $0 + AttentionSpan.positions },
      keyNorms: cache.precision == .byte
        ? scales.map { UnsafePointer($0 + 2 * AttentionSpan.positions) } : nil,
      headSize: headSize, start: positions.lowerBound, count: positions.count,
      queries: scratch.queries, queryScales: scratch.scales, rows: count,
      visible: scratch.visible)
    kernels.attention(cache.precision)(span, scratch.scores, partial)
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

  /// How a query is made ready for a cache of this precision; nil where it is as it is.
  func quantizeQuery(_ precision: KeyValueCache.Precision) -> QuantizeQuery? {
    switch precision {
    case .fixed: quantizeFixedQuery
    case .byte: quantizeByteQuery
    case .half, .single: nil
    }
  }
}
