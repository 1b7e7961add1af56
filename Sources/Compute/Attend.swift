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
    let wasAsked = asksAhead(for: slices)
    // A head after the other: its keys and values stay in the cache for all tiles.
    share(parts: parts.count, items: { tiles($0) * heads }) { part, item in
      let count = tiles(part)
      let (slice, rows) = tile(item % count, part)
      var next: UnsafeRawBufferPointer?
      if wasAsked, item + 1 < count * heads {
        next = attention.keysRead(
          tile((item + 1) % count, part).0, head: (item + 1) / count, from: 0)
      }
      attention.attend(
        rows, of: slice, head: item / count, wasAsked: wasAsked, next: next, into: output)
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
    // Whose queries are ready for keys of spans before the last: the one before had the same, mostly.
    var ready: Int?
    share(slices.count * heads * most) { item in
      let (owner, span) = item.quotientAndRemainder(dividingBy: most)
      let slice = slices[owner / heads]
      guard span < spans(slice) else { return }
      let isLast = span == spans(slice) - 1
      attention.attend(
        slice.rows, of: slice, head: owner % heads, span: span * width,
        queriesReady: !isLast && ready == owner, into: workspace.partial(owner, span))
      ready = isLast ? nil : owner
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
      for head in 0..<heads { store(row, among: rows, of: slice, head: head) }
    }
  }

  /// Rotates the key of `row` in place, and puts it and the value into the cache; `rows` are stored one after the other.
  func store(_ row: Int, among rows: Range<Int>, of slice: SequenceSlice, head: Int) {
    let key = input.keys.pointer(row) + head * headSize
    let later = input.keys.later(row, of: rows) + head * headSize
    kernels.rotate(key, headSize, input.table.angles(row), 1, key, later)
    slice.cache.store(
      key: key, value: input.values.pointer(row) + head * headSize, layer: layer, head: head,
      position: slice.position(of: row), kernels: kernels)
  }

  /// All spans that `rows` see.
  ///
  /// - Parameters:
  ///   - wasAsked: whether products have asked for their keys and values (`UpcomingReads`).
  ///   - next: the first keys that are read afterwards, if they did for those.
  func attend(
    _ rows: Range<Int>, of slice: SequenceSlice, head: Int, wasAsked: Bool,
    next following: UnsafeRawBufferPointer?, into output: FloatMatrix
  ) {
    if !storesFirst { store(rows.lowerBound, among: rows, of: slice, head: head) }
    let width = AttentionSpan.positions
    let end = slice.position(of: rows.upperBound - 1) + 1
    let (running, next) = (scratch.running, scratch.next)
    let precision = slice.cache.precision
    gatherQueries(rows, of: slice, head, for: precision.keys)
    if end > width, let keys = precision.distantKeys {
      gatherQueries(rows, of: slice, head, for: keys)
    }
    for start in stride(from: 0, to: end, by: width) {
      let positions = start..<min(start + width, end)
      let upcoming =
        wasAsked && positions.upperBound < end
        ? keysRead(slice, head: head, from: positions.upperBound) : following
      compute(rows, slice, head, positions, start == 0 ? running : next, upcoming)
      if start > 0 { kernels.mergeSpan(next, running, rows.count * group, headSize) }
    }
    finish(rows, head: head, running, into: output)
  }

  /// The one span that starts at `start`.
  ///
  /// - Parameter queriesReady: whether the call before was for another of the head's earlier spans.
  func attend(
    _ rows: Range<Int>, of slice: SequenceSlice, head: Int, span start: Int, queriesReady: Bool,
    into partial: AttentionPartial
  ) {
    let end = slice.position(of: rows.upperBound - 1) + 1
    let positions = start..<min(start + AttentionSpan.positions, end)
    // The newest position is in the last span, and nobody else looks at it.
    if !storesFirst, positions.upperBound == end {
      store(rows.lowerBound, among: rows, of: slice, head: head)
    }
    if !queriesReady {
      let precision = slice.cache.precision
      gatherQueries(
        rows, of: slice, head,
        for: positions.upperBound == end ? precision.keys : precision.distantKeys ?? precision.keys)
    }
    compute(rows, slice, head, positions, partial, nil)
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

  /// What a token at the end of a sequence reads of the keys of the span that begins at `start`.
  func keysRead(
    _ slice: SequenceSlice, head: Int, from start: Int
  ) -> UnsafeRawBufferPointer {
    slice.keysRead(slice.cache.span(layer, head, of: start), from: start)
  }

  /// Makes ready the queries of a tile for keys that lie so, and what else `AttentionSpan` has of them.
  private func gatherQueries(
    _ rows: Range<Int>, of slice: SequenceSlice, _ head: Int, for keys: KeyEncoding
  ) {
    scratch.check(rows: rows.count * group)
    let scale = 1 / Float(headSize).squareRoot()
    let quantize = kernels.quantizeQuery(keys)
    let (queries, scales) = scratch.queries(for: keys)
    for (tileRow, row) in rows.enumerated() {
      let source = input.queries.pointer(row) + head * group * headSize
      let later = input.queries.later(row, of: rows) + head * group * headSize
      let angles = input.table.angles(row)
      let visible = Int32(truncatingIfNeeded: slice.position(of: row) + 1)
      for j in 0..<group {
        let index = tileRow * group + j
        let query = queries + index * headSize
        kernels.rotate(
          source + j * headSize, headSize, angles, scale, query, later + j * headSize)
        if let quantize { scales[index] = quantize(query, headSize) }
        scratch.visible[index] = visible
      }
    }
  }

  /// One span of the tile whose queries are ready; `upcoming` as in `AttentionSpan`.
  private func compute(
    _ rows: Range<Int>, _ slice: SequenceSlice, _ head: Int, _ positions: Range<Int>,
    _ partial: AttentionPartial, _ upcoming: UnsafeRawBufferPointer?
  ) {
    let span = slice.cache.span(layer, head, of: positions.lowerBound)
    // The rows of later spans come last.
    let end = positions.lowerBound + AttentionSpan.positions
    let near =
      span.distantKeys == nil
      ? rows.count : min(max(end - slice.position(of: rows.lowerBound), 0), rows.count)
    compute(0..<near, span, span.keys, positions, partial, upcoming)
    if let keys = span.distantKeys {
      compute(near..<rows.count, span, keys, positions, partial, upcoming)
    }
  }

  /// One span of some of the tile's tokens, of which there may be none, with one of the span's keys.
  private func compute(
    _ tokens: Range<Int>, _ head: HeadSpan, _ keys: SpanKeys, _ positions: Range<Int>,
    _ partial: AttentionPartial, _ upcoming: UnsafeRawBufferPointer?
  ) {
    guard !tokens.isEmpty else { return }
    let first = tokens.lowerBound * group
    let (queries, scales) = scratch.queries(for: keys.encoding)
    let span = AttentionSpan(
      keys: keys.columns, values: head.values, keyScales: keys.scales,
      valueScales: head.valueScales, keyNorms: keys.norms,
      headSize: headSize, start: positions.lowerBound, count: positions.count,
      queries: queries + first * headSize, queryScales: scales + first, rows: tokens.count * group,
      visible: scratch.visible + first, readsInOrder: kernels.readsInOrder,
      upcoming: upcoming)
    kernels.attention(keys.encoding)(
      span, scratch.scores, partial.dropping(rows: first, headSize: headSize))
  }
}

extension AttentionPartial {
  /// Without the first rows.
  fileprivate func dropping(rows: Int, headSize: Int) -> AttentionPartial {
    AttentionPartial(
      largest: largest + rows, total: total + rows, values: values + rows * headSize)
  }

  /// Takes over another one.
  fileprivate func update(from other: AttentionPartial, rows: Int, headSize: Int) {
    largest.update(from: other.largest, count: rows)
    total.update(from: other.total, count: rows)
    values.update(from: other.values, count: rows * headSize)
  }
}
