/// Scaled dot-product attention (Vaswani et al. 2017) over one span of positions in fixed point.
///
/// - Parameter scores: scratch [rows, AttentionSpan.positions]. A row's weights replace its scores as
///   quants, and their scales follow them.
@inlinable @inline(__always)
public func attendFixedSpan<I: VectorISA, K: KeyStorage>(
  _ isa: I.Type, _ keys: K.Type, largestTile: Int, _ span: AttentionSpan,
  scores: UnsafeMutablePointer<Float>,
  into partial: AttentionPartial
) {
  let panels = (span.count &+ PanelGeometry.rows &- 1) / PanelGeometry.rows
  var panel = 0
  // Four where there are registers for it: a product has less to load, and of few rows each has sums of its own that do
  // not wait for each other. Not of few rows where memory would be slower by more than that.
  while largestTile >= 8, span.rows >= 8 || !span.readsInOrder, panels &- panel >= 4 {
    scorePanels(isa, keys, Tile4<I.Ints>.self, largestTile: largestTile, span, panel, scores)
    panel &+= 4
  }
  while largestTile >= 8, span.rows >= 8, panels &- panel >= 2 {
    scorePanels(isa, keys, Tile2<I.Ints>.self, largestTile: largestTile, span, panel, scores)
    panel &+= 2
  }
  while panel < panels {
    scorePanels(isa, keys, Single<I.Ints>.self, largestTile: largestTile, span, panel, scores)
    panel &+= 1
  }

  // Only of spans that are full.
  let mostKey =
    span.count == AttentionSpan.positions ? K.largestNorm(isa, span) : .infinity
  let whole = ByteValues.together
  let end = (panels &* PanelGeometry.rows &+ whole &- 1) / whole &* whole
  var row = 0
  while row < span.rows {
    weightRows(
      isa, keys, span, row..<min(row &+ mostRowsWeighed, span.rows), end: end, mostKey: mostKey,
      scores, partial)
    row &+= mostRowsWeighed
  }

  let weightGroup = K.weightGroup
  var column = 0
  let lanes = PanelGeometry.rows
  // Four as well, which is the order in which they lie.
  while largestTile >= 8, span.headSize &- column >= 4 &* lanes {
    valueColumns(
      isa, Tile4<FixedSum<I>>.self, largestTile: largestTile, span, weightGroup, panels, column,
      scores, partial)
    column &+= 4 &* lanes
  }
  while largestTile >= 8, span.headSize &- column >= 2 &* lanes {
    valueColumns(
      isa, Tile2<FixedSum<I>>.self, largestTile: largestTile, span, weightGroup, panels, column,
      scores, partial)
    column &+= 2 &* lanes
  }
  while column < span.headSize {
    valueColumns(
      isa, Single<FixedSum<I>>.self, largestTile: largestTile, span, weightGroup, panels, column,
      scores, partial)
    column &+= lanes
  }
}

/// Sums that a tile has at most, which leave registers for what they are made of.
@inlinable @inline(__always) var mostSums: Int { 16 }

/// Scores of all rows with the keys of as many panels as `P` has.
@inlinable @inline(__always)
func scorePanels<I: VectorISA, K: KeyStorage, P: TokenTile>(
  _ isa: I.Type, _ keys: K.Type, _ keyPanels: P.Type, largestTile: Int, _ span: AttentionSpan,
  _ panel: Int, _ scores: UnsafeMutablePointer<Float>
) where P.Element == I.Ints {
  var row = 0
  if largestTile >= 8, P.count <= mostSums / 8 {
    while span.rows &- row >= 8 {
      scoreTile(isa, keys, Tile8<P>.self, span, panel, row, scores)
      row &+= 8
    }
  }
  while span.rows &- row >= 4 {
    scoreTile(isa, keys, Tile4<P>.self, span, panel, row, scores)
    row &+= 4
  }
  switch span.rows &- row {
  case 3: scoreTile(isa, keys, Tile3<P>.self, span, panel, row, scores)
  case 2: scoreTile(isa, keys, Tile2<P>.self, span, panel, row, scores)
  case 1: scoreTile(isa, keys, Single<P>.self, span, panel, row, scores)
  default: break
  }
}

/// Scores of a tile of rows with the keys of some panels, without the scales of the rows' queries.
@inlinable @inline(__always)
func scoreTile<I: VectorISA, K: KeyStorage, T: TokenTile, P: TokenTile>(
  _ isa: I.Type, _ keys: K.Type, _ tile: T.Type, _ span: AttentionSpan, _ panel: Int,
  _ row: Int, _ scores: UnsafeMutablePointer<Float>
) where T.Element == P, P.Element == I.Ints {
  let rowBytes = span.headSize &* 4
  let queries = UnsafeRawPointer(span.queries) + row &* rowBytes
  let panelBytes = span.headSize &* PanelGeometry.rows &* K.bytes
  let first = span.keys + panel &* panelBytes
  var sums = T(repeating: P(repeating: I.splat(Int32(0))))
  sums.forEach { index, sums in
    let start = K.firstScore(isa, queries + index &* rowBytes, count: span.headSize)
    sums.forEach { _, sum in sum = start }
  }
  // Few rows would wait for them. From the L3 they come to the L2 only: of requests for the L1 a core has fewer under way.
  let asksForValues = T.count < 4
  let isNear = span.upcoming != nil
  let values = span.values + panel &* PanelGeometry.rows &* span.headSize
  @inline(__always) func add(_ part: Int) {
    if asksForValues {
      var line = 0
      while line < P.count {
        let value = values + (line &* PanelGeometry.rows &* span.headSize &+ part &* 16 &* K.step)
        if isNear { I.prefetchForLater(value) } else { I.prefetch(value) }
        line &+= 1
      }
    }
    sums.forEach { index, sums in
      let query = queries + (index &* rowBytes &+ part &* 4)
      sums.forEach { panel, sum in
        let key = I.loadBytes(first + (panel &* panelBytes &+ part &* 64))
        sum = K.addScores(isa, sum, key, query)
      }
    }
  }
  // A head is whole vectors.
  var part = 0
  while part &* K.step < span.headSize {
    add(part)
    add(part &+ 1)
    part &+= 2
  }
  let keyScales = span.keyScales.unsafelyUnwrapped + panel &* PanelGeometry.rows
  sums.forEach { index, sums in
    let target =
      scores + ((row &+ index) &* AttentionSpan.positions &+ panel &* PanelGeometry.rows)
    sums.forEach { panel, sum in
      let place = panel &* PanelGeometry.rows
      I.store(I.multiply(I.convert(sum), I.load(keyScales + place)), target + place)
    }
  }
}

/// A sum over all positions, and the integer one that is being formed.
public struct FixedSum<I: VectorISA> {
  @usableFromInline var whole: I.Floats
  @usableFromInline var part: I.Ints

  @inlinable @inline(__always)
  init() {
    whole = I.splat(Float(0))
    part = I.splat(Int32(0))
  }
}

/// The weighted values of all rows, as many times 16 columns as `C` has.
@inlinable @inline(__always)
func valueColumns<I: VectorISA, C: TokenTile>(
  _ isa: I.Type, _ columns: C.Type, largestTile: Int, _ span: AttentionSpan,
  _ weightGroup: Int, _ panels: Int, _ column: Int, _ scores: UnsafeMutablePointer<Float>,
  _ partial: AttentionPartial
) where C.Element == FixedSum<I> {
  var row = 0
  if largestTile >= 8, C.count <= mostSums / 8 {
    while span.rows &- row >= 8 {
      valueTile(isa, Tile8<C>.self, span, weightGroup, panels, column, row, scores, partial)
      row &+= 8
    }
  }
  if largestTile >= 4 {
    while span.rows &- row >= 4 {
      valueTile(isa, Tile4<C>.self, span, weightGroup, panels, column, row, scores, partial)
      row &+= 4
    }
  }
  while span.rows &- row >= 2 {
    if span.rows &- row == 3 {
      valueTile(isa, Tile3<C>.self, span, weightGroup, panels, column, row, scores, partial)
      return
    }
    valueTile(isa, Tile2<C>.self, span, weightGroup, panels, column, row, scores, partial)
    row &+= 2
  }
  if row < span.rows {
    valueTile(isa, Single<C>.self, span, weightGroup, panels, column, row, scores, partial)
  }
}

/// Some times 16 columns of the weighted values of a tile of rows.
@inlinable @inline(__always)
func valueTile<I: VectorISA, T: TokenTile, C: TokenTile>(
  _ isa: I.Type, _ tile: T.Type, _ span: AttentionSpan, _ weightGroup: Int, _ panels: Int,
  _ column: Int, _ row: Int, _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) where T.Element == C, C.Element == FixedSum<I> {
  let rowBytes = AttentionSpan.positions &* 4
  let weights = UnsafeRawPointer(scores) + row &* rowBytes
  let values = span.values + column &* 4
  let end = panels &* PanelGeometry.rows
  // In whole lines with each step, so that with the last one all keys are asked for.
  let asksForKeys = T.count < 4 && C.count == 4
  let steps = end / ByteValues.step
  var upcoming = span.upcoming?.baseAddress ?? span.values
  let rate = ((span.upcoming?.count ?? 0) &+ 64 &* steps &- 1) / (64 &* steps) &* 64
  var sums = T(repeating: C(repeating: FixedSum()))
  var start = 0
  var index = 0
  while start < end {
    let stop = min(start &+ weightGroup, end)
    sums.forEach { _, row in row.forEach { _, sum in sum.part = I.splat(Int32(0)) } }
    @inline(__always) func add(_ position: Int) {
      if asksForKeys {
        prefetchForLater(isa, upcoming, rate)
        upcoming += rate
      }
      let lines = values + position &* span.headSize
      sums.forEach { index, row in
        let weight = weights + (index &* rowBytes &+ position &* I.weightBytes)
        row.forEach { part, sum in
          sum.part = I.dotQuads(
            sum.part, signed: I.loadBytes(lines + part &* 64), weights: weight)
        }
      }
    }
    var position = start
    while position < stop {
      add(position)
      add(position &+ ByteValues.step)
      position &+= 2 &* ByteValues.step
    }
    sums.forEach { tileRow, parts in
      let scale = ByteValues.scale(
        scores + (row &+ tileRow) &* AttentionSpan.positions, group: index)
      parts.forEach { _, sum in
        sum.whole = I.fma(I.convert(sum.part), I.splat(scale), sum.whole)
      }
    }
    start = stop
    index &+= 1
  }
  sums.forEach { tileRow, sums in
    let target = partial.values + ((row &+ tileRow) &* span.headSize &+ column)
    sums.forEach { part, sum in
      I.store(sum.whole, target + part &* PanelGeometry.rows)
    }
  }
}
