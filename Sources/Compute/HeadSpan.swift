import KernelCore

/// One head's keys and values of a span of positions, one after the other: keys, those that later spans' tokens read, each
/// with scales and norms, values, and their scales. What is read together lies together.
struct HeadSpan {
  private let headSize: Int
  private let precision: KeyValueCache.Precision
  let keys: SpanKeys
  /// Nil where they are the same.
  let distantKeys: SpanKeys?
  let values: UnsafeMutableRawPointer
  /// [positions], only of values in fixed point.
  let valueScales: UnsafeMutablePointer<Float>

  init(
    _ base: UnsafeMutableRawPointer, headSize: Int, _ precision: KeyValueCache.Precision
  ) {
    let width = AttentionSpan.positions
    self.headSize = headSize
    self.precision = precision
    keys = SpanKeys(base, headSize: headSize, precision.keys)
    var next = base + width * precision.keys.bytes(headSize: headSize)
    if let distant = precision.distantKeys {
      distantKeys = SpanKeys(next, headSize: headSize, distant)
      next += width * distant.bytes(headSize: headSize)
    } else {
      distantKeys = nil
    }
    values = next
    valueScales = (values + width * headSize * precision.valueBytes)
      .assumingMemoryBound(to: Float.self)
  }

  /// The bytes of the first `count` values; of all of them with their scales.
  func firstValues(_ count: Int) -> UnsafeRawBufferPointer {
    let columns = headSize * precision.valueBytes
    let each = count < AttentionSpan.positions ? columns : columns + 4 * precision.valueNumbers
    return UnsafeRawBufferPointer(start: values, count: count * each)
  }
}

/// One head's keys of a span of positions.
struct SpanKeys {
  let encoding: KeyEncoding
  let columns: UnsafeMutableRawPointer
  /// [positions], and the norms behind them; only where they are kept.
  let scales: UnsafeMutablePointer<Float>
  private let headSize: Int

  init(_ base: UnsafeMutableRawPointer, headSize: Int, _ encoding: KeyEncoding) {
    self.encoding = encoding
    self.headSize = headSize
    columns = base
    scales = (base + AttentionSpan.positions * headSize * encoding.bytes)
      .assumingMemoryBound(to: Float.self)
  }

  /// [positions]; nil where they are not kept.
  var norms: UnsafeMutablePointer<Float>? {
    encoding.numbers > 1 ? scales + AttentionSpan.positions : nil
  }

  /// The bytes of the first `count` keys, whole panels; of all of them with their scales and norms.
  func first(_ count: Int) -> UnsafeRawBufferPointer {
    let lanes = PanelGeometry.rows
    let each =
      count < AttentionSpan.positions
      ? headSize * encoding.bytes : encoding.bytes(headSize: headSize)
    return UnsafeRawBufferPointer(start: columns, count: (count + lanes - 1) / lanes * lanes * each)
  }

  /// The first column of the key at `position` of the span.
  func key(_ position: Int) -> UnsafeMutableRawPointer {
    let lanes = PanelGeometry.rows
    let (panel, lane) = position.quotientAndRemainder(dividingBy: lanes)
    return columns + panel * (lanes * headSize * encoding.bytes) + lane * encoding.laneBytes
  }

  /// Stores a key in fixed point at `position` of the span. What is at `key` changes where it is mixed.
  func store(
    _ key: UnsafeMutablePointer<Float>, at position: Int, valueScale: Float, _ kernels: KernelTable
  ) {
    let place = KeyPlace(
      quants: self.key(position), scale: scales + position, norm: norms.map { $0 + position })
    switch encoding {
    case .short: kernels.storeShortKey(key, headSize, place)
    case .byte: kernels.storeByteKey(key, headSize, place)
    case .single, .half: preconditionFailure("keys in floating point")
    }
    // Weights are rounded with their values' scales, their sum has the keys'.
    if valueScale.isNaN { scales[position] = valueScale }
  }
}
